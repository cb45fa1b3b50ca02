//! The few calls of the API that the sections make.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    Result,
    http::{Connection, request},
};

impl Connection {
    /// Makes a template with these settings; its id.
    pub fn template(&mut self, name: &str, settings: &Value) -> Result<String> {
        id(&self.call("POST", "/templates", Some(&json!({ "name": name, "settings": settings })))?)
    }

    /// Makes a template whose sessions begin with lodash; its id.
    pub fn template_with_lodash(&mut self, name: &str, settings: &Value) -> Result<String> {
        let template = self.template(name, settings)?;
        self.call("POST", &format!("/templates/{template}/libraries"), Some(&json!({ "name": "lodash" })))?;
        Ok(template)
    }

    /// Makes a session; its id.
    pub fn session(&mut self, template: &str, worktree: &Path) -> Result<String> {
        id(&self.send_for_json(&new_session(template, worktree))?)
    }

    /// Runs a snippet, which must end well; its execution.
    pub fn run(&mut self, session: &str, code: &str) -> Result<Value> {
        let execution = self.send_for_json(&repl(session, code))?;
        if execution["status"] == "ok" { Ok(execution) } else { Err(format!("{code}: {execution}").into()) }
    }

    pub fn close(&mut self, session: &str) -> Result<()> {
        self.call("DELETE", &format!("/sessions/{session}"), None).map(drop)
    }
}

/// `GET /health`: the floor that other calls are compared with.
pub fn health() -> Vec<u8> {
    request("GET", "/health", None)
}

pub fn new_session(template: &str, worktree: &Path) -> Vec<u8> {
    let body = json!({
        "template_id": template, "workspace_id": "bench", "base_commit_oid": "none", "worktree_path": worktree,
    });
    request("POST", "/sessions", Some(&body))
}

pub fn repl(session: &str, code: &str) -> Vec<u8> {
    request("POST", "/executions/repl", Some(&json!({ "session_id": session, "input": code })))
}

/// The id of what was made.
pub fn id(made: &Value) -> Result<String> {
    Ok(made["id"].as_str().ok_or("an answer without an id")?.to_string())
}
