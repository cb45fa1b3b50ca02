//! Extensions: what a template adds to its runtimes by name.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::TemplateId;

/// The two kinds of extensions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extension {
    /// A native module: host code that scripts `require`.
    Module,
    /// A library: JavaScript that is loaded before the startup files.
    Library,
}

impl Extension {
    /// The kind as a folder of the API and as a heading.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Module => "modules",
            Self::Library => "libraries",
        }
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Module => "module",
            Self::Library => "library",
        })
    }
}

/// `POST /templates/{id}/modules` and `POST /templates/{id}/libraries`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewExtension {
    /// Required, of the catalog; case does not matter.
    #[schema(required)]
    pub name: String,
}

/// The answer of `POST /templates/{id}/modules` and `POST /templates/{id}/libraries`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExtensionAdded {
    /// In lower case.
    pub name: String,
    /// The template that has it now.
    pub template_id: TemplateId,
}

/// The answer of `DELETE /templates/{id}/modules/{name}` and `DELETE /templates/{id}/libraries/{name}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExtensionRemoved {
    /// `ok`.
    pub status: String,
    /// The template that does not have it now.
    pub template_id: TemplateId,
    /// In lower case.
    pub name: String,
}
