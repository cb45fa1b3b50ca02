//! Sessions: creation with its startup files, and closing.

use std::{path::Path, sync::Arc};

use tokio::sync::Notify;
use tracing::Instrument;
use vm_model::{
    Durability, NewSession, Residency, Session, SessionFilter, SessionId, SessionMemory, SessionStatus, TemplateId,
    Timestamp,
};
use vm_modules::Worktree;
use vm_store::StoreError;

use crate::{
    Core, Error,
    core::Parts,
    executions::required,
    hibernation::{hibernate, ready, with_stored},
    images::{self, Making, TemplateImage},
    live::LiveSession,
    machine::{Machine, Plan, Saving, open_worktree},
    startup::Starting,
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
            match core.blocking(move |parts| stamp(parts, template_id, new)).await? {
                Stamped::Ready(session, image) => {
                    core.prepare(image);
                    Ok(*session)
                }
                Stamped::Starting(starting) => starting.start(&core).await,
            }
        };
        self.0.0.executor.spawn_here(create.in_current_span()).await?
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
        let get = move |parts: &Parts| {
            let session = parts.store.session(id)?.ok_or(Error::SessionNotFound(id))?;
            let memory = (session.status == SessionStatus::Ready).then(|| memory(parts, id)).transpose()?;
            Ok(Session { memory, ..session })
        };
        self.0.blocking(get).await
    }

    /// Takes an idle session out of memory, until its next call. One that is not in memory, or runs something, stays as it
    /// is.
    ///
    /// # Errors
    /// There is no session of this id, it is not ready, or its state cannot be stored.
    pub async fn hibernate(&self, id: SessionId) -> Result<Session, Error> {
        hibernate(self.0, id).await?;
        let session = self.get(id).await?;
        match session.status {
            SessionStatus::Ready => Ok(session),
            status => Err(Error::SessionNotReady { session_id: id, status }),
        }
    }

    /// A new session with the state of this one at the end of its last execution.
    ///
    /// # Errors
    /// There is no session of this id, it is not ready, or the database failed. A session without durability is busy while
    /// it runs something.
    pub async fn fork(&self, id: SessionId) -> Result<Session, Error> {
        with_stored(self.0, id, move |parts| fork(parts, id)).await
    }

    /// Stops what runs in a session and gives its runtime back. Closing again changes nothing.
    ///
    /// # Errors
    /// There is no session of this id; or the database failed, and the session goes on.
    pub async fn close(&self, id: SessionId) -> Result<Session, Error> {
        let core = self.0.clone();
        // A client that goes away does not leave a session half-closed.
        let close = async move {
            let live = core.0.live.claim(id);
            let before = live.stop(SessionStatus::Closed);
            let mut turn = live.turn().await;
            let closed = core.blocking(move |parts| close(parts, id)).await;
            if closed.is_ok() {
                live.stop(SessionStatus::Closed);
                *turn = None;
            } else if before == SessionStatus::Ready {
                live.reopen();
            }
            // Not before its row says so: who finds it neither here nor closed there would wake it.
            if turn.is_none() {
                core.0.live.remove(&live);
            }
            closed
        };
        self.0.0.executor.spawn_here(close.in_current_span()).await?
    }
}

/// Answers what is stored: its startup may have been stopped by this, and have stored it first.
fn close(parts: &Parts, id: SessionId) -> Result<Session, Error> {
    let stored = || parts.store.session(id)?.ok_or(Error::SessionNotFound(id));
    let session = stored()?;
    if session.status == SessionStatus::Closed {
        return Ok(session);
    }
    let closed = Session { status: SessionStatus::Closed, closed_at: Some(Timestamp::now()), ..session };
    parts.store.update_session(&closed)?;
    tracing::info!(session_id = %id, "session closed");
    stored()
}

fn memory(parts: &Parts, id: SessionId) -> Result<SessionMemory, Error> {
    let live = parts.live.get(id)?;
    Ok(SessionMemory {
        residency: if live.is_some() { Residency::Resident } else { Residency::Hibernated },
        resident_bytes: live.map_or(0, |live| live.own_bytes()),
        stored_bytes: parts.store.state_bytes(id)?,
    })
}

/// What has come of a new session so far.
enum Stamped {
    /// It is stored, and began with this image.
    Ready(Box<Session>, Option<Arc<TemplateImage>>),
    Starting(Box<Starting>),
}

/// An image may be deleted just when a session is to begin with it: then another one is found, or made.
fn stamp(parts: &Parts, template_id: TemplateId, new: NewSession) -> Result<Stamped, Error> {
    match try_stamp(parts, template_id, new.clone()) {
        Err(Error::Store(StoreError::ImageNotFound(_))) => {
            parts.images.forget();
            try_stamp(parts, template_id, new)
        }
        stamped => stamped,
    }
}

/// A session with a machine. Where its image has all of its startup behind it, it is ready.
fn try_stamp(parts: &Parts, template_id: TemplateId, new: NewSession) -> Result<Stamped, Error> {
    parts.ceiling.check()?;
    let worktree = check_worktree(&new.worktree_path)?;
    let template = parts.store.template(template_id)?.ok_or(Error::TemplateNotFound(template_id))?;
    if !template.template.is_active {
        let message = format!("template {template_id} is not active; activate it, or use another one");
        return Err(Error::Validation(message));
    }
    let wake = Arc::new(Notify::new());
    let plan = Plan::new(parts, template, worktree, &wake)?;
    let key = images::key(parts, &plan.template, &plan.worktree);
    let image = key.map(|key| parts.images.find(parts, &key, &plan.host)).transpose()?.flatten();
    let making = key.filter(|_| image.is_none()).map(|key| Making::new(key, &plan.host));
    let is_complete = plan.is_started_by(image.as_deref());
    let session = Session {
        id: SessionId::new(),
        template_id,
        vm_id: template_id,
        workspace_id: new.workspace_id,
        base_commit_oid: new.base_commit_oid,
        worktree_path: new.worktree_path,
        status: if is_complete { SessionStatus::Ready } else { SessionStatus::Starting },
        created_at: Timestamp::now(),
        closed_at: None,
        last_error: None,
        runtime_meta: Some(parts.engine.meta()),
        parent_session_id: None,
        memory: None,
    };
    let (image_id, guest) = (image.as_ref().map(|image| image.id), parts.engine.identity());
    let is_loaded = image.is_some();
    let startup = image.as_ref().map(|image| image.startup(session.id)).unwrap_or_default();
    let mut machine = Machine::stamp(parts, plan, session.created_at, image.clone())?;
    let template = machine.template.clone();
    let saving = if is_complete { machine.saving_start() } else { Saving::Nothing };
    machine.saved(&saving);
    let live = LiveSession::new(session.id, session.status, Some(machine), wake);
    // Until it is stored, nobody else has a turn: what they stored would be of a session that is not there.
    let turn = live.take_startup_turn()?;
    parts.live.insert(&live)?;
    let inserted = if is_complete {
        parts.store.insert_started_session(&session, &template, &guest, image_id, &startup, saving.effect())
    } else {
        parts.store.insert_session(&session, &template, &guest, image_id)
    };
    if let Err(error) = inserted {
        parts.live.remove(&live);
        return Err(error.into());
    }
    drop(turn);
    if is_complete {
        tracing::info!(session_id = %session.id, status = %session.status, "session created");
        return Ok(Stamped::Ready(Box::new(session), image));
    }
    Ok(Stamped::Starting(Box::new(Starting { session, live, is_loaded, startup, making })))
}

fn check_worktree(path: &Path) -> Result<Arc<Worktree>, Error> {
    if path.as_os_str().is_empty() {
        return Err(Error::Validation("worktree_path is required".into()));
    }
    if !path.is_absolute() {
        return Err(Error::Validation(format!("worktree_path {} must be absolute", path.display())));
    }
    open_worktree(path)
}

/// What is stored of the parent is all that it is made of.
fn fork(parts: &Parts, id: SessionId) -> Result<Session, Error> {
    let parent = ready(parts, id)?;
    let template = parts.store.session_template(id)?.ok_or(Error::SessionNotFound(id))?;
    let flush = template.settings.runtime.durability == Durability::Full;
    let child = Session { id: SessionId::new(), created_at: Timestamp::now(), parent_session_id: Some(id), ..parent };
    if !parts.store.fork_session(id, &child, flush)? {
        // closed meanwhile, or only in memory and in use
        return Err(ready(parts, id).err().unwrap_or(Error::SessionBusy(id)));
    }
    tracing::info!(session_id = %child.id, parent_session_id = %id, "session forked");
    Ok(child)
}
