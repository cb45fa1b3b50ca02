//! One method per route of the API. What each of them can answer, errors included, is the daemon's contract.
#![allow(clippy::missing_errors_doc)] // all fail as `ClientError` says

use std::fmt::Display;

use reqwest::Method;
use vm_model::{
    Capability, CapabilityDeleted, Collected, EngineEntry, Event, Execution, Extension, ExtensionAdded,
    ExtensionRemoved, Health, LibraryEntry, ModuleEntry, NewCapability, NewExtension, NewSession, NewStartupFile,
    NewTemplate, ReplRequest, RunFileRequest, RuntimeSummary, Session, SessionFilter, StartupFile, StartupFileDeleted,
    Template, TemplateDeleted, TemplateDetail, TemplatePatch,
};

use crate::{Client, ClientError};

type Result<T> = std::result::Result<T, ClientError>;

/// Health and runtime.
impl Client {
    /// Whether the daemon is well.
    pub async fn health(&self) -> Result<Health> {
        self.get(&["health"], &[]).await
    }

    /// What the daemon holds at this moment.
    pub async fn runtime_summary(&self) -> Result<RuntimeSummary> {
        self.get(&["runtime", "summary"], &[]).await
    }

    /// Deletes history that is not to be kept any longer, and makes the database file smaller.
    pub async fn collect_garbage(&self) -> Result<Collected> {
        self.send(Method::POST, &["runtime", "gc"]).await
    }
}

/// What templates can be configured with.
impl Client {
    /// The native modules.
    pub async fn catalog_modules(&self) -> Result<Vec<ModuleEntry>> {
        self.get(&["catalog", "modules"], &[]).await
    }

    /// The libraries that need no version.
    pub async fn catalog_libraries(&self) -> Result<Vec<LibraryEntry>> {
        self.get(&["catalog", "libraries"], &[]).await
    }

    /// The engines.
    pub async fn catalog_engines(&self) -> Result<Vec<EngineEntry>> {
        self.get(&["catalog", "engines"], &[]).await
    }
}

/// Templates.
impl Client {
    /// Makes a template.
    pub async fn create_template(&self, new: &NewTemplate) -> Result<Template> {
        self.post(&["templates"], new).await
    }

    /// All templates, newest first.
    pub async fn templates(&self) -> Result<Vec<Template>> {
        self.get(&["templates"], &[]).await
    }

    /// A template with everything that belongs to it.
    pub async fn template(&self, id: impl Display) -> Result<TemplateDetail> {
        self.get(&["templates", &id.to_string()], &[]).await
    }

    /// Changes what the patch names.
    pub async fn update_template(&self, id: impl Display, patch: &TemplatePatch) -> Result<TemplateDetail> {
        self.patch(&["templates", &id.to_string()], patch).await
    }

    /// Deletes a template with everything that belongs to it.
    pub async fn delete_template(&self, id: impl Display) -> Result<TemplateDeleted> {
        self.send(Method::DELETE, &["templates", &id.to_string()]).await
    }

    /// Adds a file that runs when a session is created.
    pub async fn add_startup_file(&self, template: impl Display, new: &NewStartupFile) -> Result<StartupFile> {
        self.post(&["templates", &template.to_string(), "startup-files"], new).await
    }

    /// The startup files of a template, in the order in which they run.
    pub async fn startup_files(&self, template: impl Display) -> Result<Vec<StartupFile>> {
        self.get(&["templates", &template.to_string(), "startup-files"], &[]).await
    }

    /// Removes a startup file from a template.
    pub async fn remove_startup_file(&self, template: impl Display, file: impl Display) -> Result<StartupFileDeleted> {
        let path = ["templates", &template.to_string(), "startup-files", &file.to_string()];
        self.send(Method::DELETE, &path).await
    }
}

/// What templates give to their sessions.
impl Client {
    /// Adds a capability.
    pub async fn add_capability(&self, template: impl Display, new: &NewCapability) -> Result<Capability> {
        self.post(&["templates", &template.to_string(), "capabilities"], new).await
    }

    /// The capabilities of a template, in the order in which they were made.
    pub async fn capabilities(&self, template: impl Display) -> Result<Vec<Capability>> {
        self.get(&["templates", &template.to_string(), "capabilities"], &[]).await
    }

    /// Removes a capability from a template.
    pub async fn remove_capability(
        &self,
        template: impl Display,
        capability: impl Display,
    ) -> Result<CapabilityDeleted> {
        let path = ["templates", &template.to_string(), "capabilities", &capability.to_string()];
        self.send(Method::DELETE, &path).await
    }

    /// Adds a module or library; adding it again is fine.
    pub async fn add_extension(
        &self,
        template: impl Display,
        extension: Extension,
        new: &NewExtension,
    ) -> Result<ExtensionAdded> {
        self.post(&["templates", &template.to_string(), extension.plural()], new).await
    }

    /// The names of a template's modules or libraries, in the order in which they were added.
    pub async fn extensions(&self, template: impl Display, extension: Extension) -> Result<Vec<String>> {
        self.get(&["templates", &template.to_string(), extension.plural()], &[]).await
    }

    /// Removes a module or library from a template; removing what it does not have is fine.
    pub async fn remove_extension(
        &self,
        template: impl Display,
        extension: Extension,
        name: &str,
    ) -> Result<ExtensionRemoved> {
        self.send(Method::DELETE, &["templates", &template.to_string(), extension.plural(), name]).await
    }
}

/// Sessions.
impl Client {
    /// Creates a session and runs its startup files.
    pub async fn create_session(&self, new: &NewSession) -> Result<Session> {
        self.post(&["sessions"], new).await
    }

    /// The sessions that pass the filter, newest first.
    pub async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>> {
        let query = [
            ("status", filter.status.map(|status| status.to_string())),
            ("template_id", filter.template_id.map(|id| id.to_string())),
            ("limit", filter.limit.map(|limit| limit.to_string())),
        ];
        self.get(&["sessions"], &query).await
    }

    /// A session.
    pub async fn session(&self, id: impl Display) -> Result<Session> {
        self.get(&["sessions", &id.to_string()], &[]).await
    }

    /// Ends a session; code that runs in it is stopped.
    pub async fn close_session(&self, id: impl Display) -> Result<Session> {
        self.send(Method::POST, &["sessions", &id.to_string(), "close"]).await
    }

    /// Takes an idle session out of memory, until its next call.
    pub async fn hibernate_session(&self, id: impl Display) -> Result<Session> {
        self.send(Method::POST, &["sessions", &id.to_string(), "hibernate"]).await
    }

    /// Makes a session with the state that this one had after its last execution.
    pub async fn fork_session(&self, id: impl Display) -> Result<Session> {
        self.send(Method::POST, &["sessions", &id.to_string(), "fork"]).await
    }
}

/// Executions.
impl Client {
    /// Runs a snippet.
    pub async fn repl(&self, request: &ReplRequest) -> Result<Execution> {
        self.post(&["executions", "repl"], request).await
    }

    /// Runs a file of the session's worktree.
    pub async fn run_file(&self, request: &RunFileRequest) -> Result<Execution> {
        self.post(&["executions", "run-file"], request).await
    }

    /// The executions of a session, newest first.
    pub async fn executions(&self, session: impl Display, limit: Option<u32>) -> Result<Vec<Execution>> {
        let query = [("session_id", Some(session.to_string())), ("limit", limit.map(|limit| limit.to_string()))];
        self.get(&["executions"], &query).await
    }

    /// An execution.
    pub async fn execution(&self, id: impl Display) -> Result<Execution> {
        self.get(&["executions", &id.to_string()], &[]).await
    }

    /// Ends a running execution at once.
    pub async fn cancel_execution(&self, id: impl Display) -> Result<Execution> {
        self.send(Method::POST, &["executions", &id.to_string(), "cancel"]).await
    }

    /// The events of an execution with a `seq` greater than `after_seq`.
    pub async fn events(&self, execution: impl Display, after_seq: u64) -> Result<Vec<Event>> {
        self.get(&["executions", &execution.to_string(), "events"], &[("after_seq", Some(after_seq.to_string()))]).await
    }
}
