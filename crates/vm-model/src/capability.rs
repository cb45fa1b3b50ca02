//! Capabilities: permissions that a template gives to its sessions, or narrows.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{CapabilityId, TemplateId};

/// A permission that a template gives or narrows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Capability {
    /// Its id.
    pub id: CapabilityId,
    /// The template's id.
    pub vm_id: TemplateId,
    /// What it is about.
    pub kind: CapabilityKind,
    /// Unique in its template among those of its kind.
    pub name: String,
    /// A disabled capability does nothing.
    pub enabled: bool,
    /// Its fields depend on the kind: `allow` for the module `exec`, `read_only` for the module `database`; `value` for
    /// `global`; `roots` and `write` for `fs`; `hosts` for `net`; `allow` for `env`.
    pub config: Map<String, Value>,
}

/// What a capability is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CapabilityKind {
    /// A native module.
    Module,
    /// A global variable.
    Global,
    /// Folders of the host.
    Fs,
    /// Hosts of the network.
    Net,
    /// Environment variables of the daemon.
    Env,
}

impl CapabilityKind {
    const ALL: [Self; 5] = [Self::Module, Self::Global, Self::Fs, Self::Net, Self::Env];

    /// As on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Global => "global",
            Self::Fs => "fs",
            Self::Net => "net",
            Self::Env => "env",
        }
    }
}

impl fmt::Display for CapabilityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for CapabilityKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("kind {text:?} is not one of module, global, fs, net, env"))
    }
}

/// `POST /templates/{id}/capabilities`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewCapability {
    /// What it is about; required.
    #[schema(value_type = CapabilityKind, required)]
    pub kind: String,
    /// Required, not blank.
    #[schema(required)]
    pub name: String,
    /// True if not given.
    pub enabled: bool,
    /// Empty if not given.
    pub config: Map<String, Value>,
}

impl Default for NewCapability {
    fn default() -> Self {
        Self { kind: String::new(), name: String::new(), enabled: true, config: Map::new() }
    }
}

/// The answer of `DELETE /templates/{id}/capabilities/{capability_id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CapabilityDeleted {
    /// `ok`.
    pub status: String,
    /// The template it was taken out of.
    pub template_id: TemplateId,
    /// What was taken out.
    pub capability_id: CapabilityId,
}
