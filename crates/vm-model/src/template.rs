//! Templates: saved configurations that sessions are stamped from.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    Capability, Limits, Resolver, Runtime, StartupFileId, TemplateId, Timestamp, settings_patch::SettingsPatch,
};

/// A template.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// Unique among templates.
    pub name: String,
    /// The engine as it was asked for: `quickjs`, or its alias `goja`.
    pub engine: String,
    /// Whether new sessions can be made from it.
    pub is_active: bool,
    /// The native modules that its sessions may `require`.
    pub exposed_modules: Vec<String>,
    /// The libraries that its sessions load.
    pub libraries: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A template with everything that belongs to it: the answer of `GET /templates/{id}`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TemplateDetail {
    /// The template itself.
    pub template: Template,
    /// Its settings.
    pub settings: TemplateSettings,
    /// Its capabilities, in the order in which they were made.
    pub capabilities: Vec<Capability>,
    /// Its startup files, in the order in which they run.
    pub startup_files: Vec<StartupFile>,
}

/// The settings of one template, with the id that older clients look for in them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TemplateSettings {
    /// The template's id.
    pub vm_id: TemplateId,
    /// What one execution may use.
    pub limits: Limits,
    /// How `import` finds files.
    pub resolver: Resolver,
    /// How code runs.
    pub runtime: Runtime,
}

/// A script that runs when a session is created.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct StartupFile {
    /// Its id.
    pub id: StartupFileId,
    /// The template's id.
    pub vm_id: TemplateId,
    /// Relative to the worktree, normalised.
    pub path: String,
    /// Files run in ascending order, equal ones by creation.
    pub order_index: i64,
    /// How it runs: `eval`.
    pub mode: String,
}

/// `POST /templates`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewTemplate {
    /// Required, unique; not blank, no control characters.
    #[schema(required)]
    pub name: String,
    /// `quickjs` if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Laid over the default settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SettingsPatch>)]
    pub settings: Option<Value>,
}

/// `PATCH /templates/{id}`: what is not given stays as it is.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TemplatePatch {
    /// Unique; not blank, no control characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether new sessions can be made from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// Laid over the present settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SettingsPatch>)]
    pub settings: Option<Value>,
}

/// `POST /templates/{id}/startup-files`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewStartupFile {
    /// Required, relative to the worktree, unique in the template.
    #[schema(required)]
    pub path: String,
    /// 0 if not given.
    pub order_index: i64,
    /// `eval` if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// The answer of `DELETE /templates/{id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TemplateDeleted {
    /// `ok`.
    pub status: String,
    /// What was deleted.
    pub template_id: TemplateId,
}

/// The answer of `DELETE /templates/{id}/startup-files/{file_id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct StartupFileDeleted {
    /// `ok`.
    pub status: String,
    /// The template it was taken out of.
    pub template_id: TemplateId,
    /// What was taken out.
    pub file_id: StartupFileId,
}
