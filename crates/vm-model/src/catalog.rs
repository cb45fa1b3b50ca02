//! What templates can be configured with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A native module, as in `GET /catalog/modules`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ModuleEntry {
    /// What scripts `require`.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// The names of its functions.
    pub functions: Vec<String>,
}

/// A library, as in `GET /catalog/libraries`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LibraryEntry {
    /// What it is called, without its version.
    pub name: String,
    /// The version that the name alone means.
    pub version: String,
    /// The global that scripts find it under.
    pub global: String,
    /// What it is for, in a few words.
    pub description: String,
}

/// An engine, as in `GET /catalog/engines`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct EngineEntry {
    /// What templates call it.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Whether it is what a template gets that names none.
    pub default: bool,
}
