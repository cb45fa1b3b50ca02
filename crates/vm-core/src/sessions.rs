//! Sessions: creation with its startup files, and closing.

use std::{path::Path, sync::Arc};

use tokio::sync::Notify;
use tracing::Instrument;
use vm_engine::Origin;
use vm_model::{
    Execution, ExecutionKind, NewSession, Session, SessionFilter, SessionId, SessionStatus, TemplateId, Timestamp,
};
use vm_modules::Worktree;
use vm_store::Effect;

use crate::{
    Core, Error,
    core::{GUEST, Parts},
    executions::{self, read_source, required},
    libraries,
    live::LiveSession,
    policy::Policy,
    task::Task,
};

/// See [`Core::sessions`].
pub struct Sessions<'a>(pub(crate) &'a Core);

impl Sessions<'_> {
    /// Stamps a session from a template and runs its startup files.
    ///
    /// # Errors
    /// A field is missing, the template is unknown or not active, the worktree is no folder: then there is no session. A
    /// startup file fails or exceeds a limit: then the session is there, `crashed`.
    pub async fn create(&self, new: NewSession) -> Result<Session, Error> {
        let template_id: TemplateId = required("template_id", &new.template_id)?.parse()?;
        required("workspace_id", &new.workspace_id)?;
        required("base_commit_oid", &new.base_commit_oid)?;
        let core = self.0.clone();
        // A client that goes away does not leave a session half-started.
        let create = async move {
            let (session, live) = core.blocking(move |parts| stamp(parts, template_id, new)).await?;
            start(&core, session, live).await
        };
        tokio::spawn(create.in_current_span())
            .await
            .map_err(|error| Error::Internal(format!("a session's creation failed: {error}")))?
    }

    /// Sessions, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list(&self, filter: SessionFilter) -> Result<Vec<Session>, Error> {
        self.0.blocking(move |parts| Ok(parts.store.sessions(&filter)?)).await
    }

    /// One session.
    ///
    /// # Errors
    /// There is none of this id.
    pub async fn get(&self, id: SessionId) -> Result<Session, Error> {
        self.0.blocking(move |parts| parts.store.session(id)?.ok_or(Error::SessionNotFound(id))).await
    }

    /// Stops what runs in a session and gives its runtime back. Closing again changes nothing.
    ///
    /// # Errors
    /// There is no session of this id.
    pub async fn close(&self, id: SessionId) -> Result<Session, Error> {
        if let Some(live) = self.0.0.live.remove(id) {
            live.stop(SessionStatus::Closed);
            live.idle().await;
        }
        let close = move |parts: &Parts| {
            let mut session = parts.store.session(id)?.ok_or(Error::SessionNotFound(id))?;
            if session.status != SessionStatus::Closed {
                session.status = SessionStatus::Closed;
                session.closed_at = Some(Timestamp::now());
                parts.store.update_session(&session)?;
                tracing::info!(session_id = %id, "session closed");
            }
            Ok(session)
        };
        self.0.blocking(close).await
    }
}

/// A session with a fresh runtime, in the database as `starting`.
fn stamp(parts: &Parts, template_id: TemplateId, new: NewSession) -> Result<(Session, Arc<LiveSession>), Error> {
    parts.ceiling.check()?;
    let worktree = open_worktree(&new.worktree_path)?;
    let template = parts.store.template(template_id)?.ok_or(Error::TemplateNotFound(template_id))?;
    if !template.template.is_active {
        let message = format!("template {template_id} is not active; activate it, or use another one");
        return Err(Error::Validation(message));
    }
    let policy = Policy::of(&template)?;
    let wake = Arc::new(Notify::new());
    let host = policy.host_functions(&template, &worktree, &parts.runtime, &wake)?;
    let instance = parts.engine.create(Origin::default(), &policy.setup(&template), host)?;
    let session = Session {
        id: SessionId::new(),
        template_id,
        vm_id: template_id,
        workspace_id: new.workspace_id,
        base_commit_oid: new.base_commit_oid,
        worktree_path: new.worktree_path,
        status: SessionStatus::Starting,
        created_at: Timestamp::now(),
        closed_at: None,
        last_error: None,
        runtime_meta: Some(parts.engine.meta()),
        parent_session_id: None,
    };
    let live = LiveSession::new(session.id, template, worktree, instance, wake);
    parts.live.insert(&live)?;
    if let Err(error) = parts.store.insert_session(&session, &live.template, &GUEST, None) {
        parts.live.remove(session.id);
        return Err(error.into());
    }
    Ok((session, live))
}

fn open_worktree(path: &Path) -> Result<Arc<Worktree>, Error> {
    if path.as_os_str().is_empty() {
        return Err(Error::Validation("worktree_path is required".into()));
    }
    if !path.is_absolute() {
        return Err(Error::Validation(format!("worktree_path {} must be absolute", path.display())));
    }
    Worktree::open(path).map(Arc::new).map_err(|error| {
        Error::Validation(format!("worktree_path {} is not a folder that can be opened: {error}", path.display()))
    })
}

/// Runs the startup files and records them together with what the session has become.
async fn start(core: &Core, mut session: Session, live: Arc<LiveSession>) -> Result<Session, Error> {
    let mut startup = Vec::new();
    let outcome = run_startup(core, &live, &mut startup).await;
    match &outcome {
        Ok(()) => session.status = SessionStatus::Ready,
        // closed meanwhile, which also stops its startup files
        Err(_) if live.status() == SessionStatus::Closed => {
            session.status = SessionStatus::Closed;
            session.closed_at = Some(Timestamp::now());
        }
        Err(error) => {
            core.0.live.remove(live.id);
            live.stop(SessionStatus::Crashed);
            session.status = SessionStatus::Crashed;
            session.last_error = Some(error.to_string());
        }
    }
    tracing::info!(session_id = %session.id, status = %session.status, "session created");
    let saved = core
        .blocking(move |parts| {
            parts.store.finish_start(&session, &startup, Effect::Unsaved)?;
            Ok(session)
        })
        .await;
    outcome.and(saved)
}

async fn run_startup(core: &Core, live: &Arc<LiveSession>, startup: &mut Vec<Execution>) -> Result<(), Error> {
    if !live.template.template.libraries.is_empty() {
        let session = live.clone();
        core.blocking(move |parts| libraries::load(parts, &session)).await?;
    }
    for file in &live.template.startup_files {
        let failed = |reason: String| Error::StartupFailed { session_id: live.id, path: file.path.clone(), reason };
        let (reader, path) = (live.clone(), file.path.clone());
        let source =
            core.blocking(move |_| read_source(&reader, &path)).await.map_err(|error| failed(error.to_string()))?;
        let execution = Execution { path: Some(file.path.clone()), ..executions::new(live.id, ExecutionKind::Startup) };
        let ended = Task::begin(&core.0, live, live.take_startup_turn()?, execution, source)?.run().await?;
        let (execution_id, error) = (ended.execution.id, ended.execution.error.clone());
        startup.push(ended.execution);
        if let Some(limit) = ended.limit {
            let configured = live.template.settings.limits.get(limit);
            return Err(Error::LimitExceeded { session_id: live.id, execution_id, limit, configured });
        }
        if let Some(error) = error {
            return Err(failed(error.message));
        }
    }
    if live.ready() {
        return Ok(());
    }
    Err(Error::SessionNotReady { session_id: live.id, status: live.status() })
}
