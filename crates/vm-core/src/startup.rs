//! A session's start, where no image has all of it behind it.

use std::sync::Arc;

use vm_model::{Execution, ExecutionKind, Limits, Session, SessionId, SessionStatus, Timestamp};
use vm_modules::Worktree;
use vm_store::Effect;

use crate::{
    Core, Error,
    amends::Amend,
    core::Parts,
    executions::{self, read_source},
    images::{self, Making},
    libraries,
    live::{LiveSession, Turn},
    machine::Machine,
    task::{Task, gone},
};

/// A session whose startup is not over.
pub(crate) struct Starting {
    pub session: Session,
    pub live: Arc<LiveSession>,
    /// The libraries are loaded.
    pub is_loaded: bool,
    /// The startup files that are behind it.
    pub startup: Vec<Execution>,
    /// The image that comes of it.
    pub making: Option<Making>,
}

impl Starting {
    /// Runs what is left of the startup, and records all of it together with what the session has become.
    pub async fn start(mut self: Box<Self>, core: &Core) -> Result<Session, Error> {
        let outcome = self.run(core).await;
        core.blocking(move |parts| match outcome.and_then(|()| self.make_ready(parts)) {
            Ok(session) => Ok(session),
            Err(error) => Err(self.give_up(parts, error)),
        })
        .await
    }

    async fn run(&mut self, core: &Core) -> Result<(), Error> {
        if !self.is_loaded {
            let (live, mut making) = (self.live.clone(), self.making.take());
            let load = move |parts: &Parts| {
                let mut turn = live.take_startup_turn()?;
                let machine = machine_of(&mut turn, live.id)?;
                let is_repeatable = libraries::load(parts, &live, machine)?;
                if let Some(making) = &mut making {
                    making.step(machine, is_repeatable, None)?;
                }
                Ok(making)
            };
            self.making = core.blocking(load).await?;
        }
        while let Some((path, worktree, limits)) = self.next_file()? {
            let session_id = self.live.id;
            let failed = |reason: String| Error::StartupFailed { session_id, path: path.clone(), reason };
            let read = {
                let (limits, path) = (limits.clone(), path.clone());
                move |_: &Parts| read_source(&worktree, &limits, &path)
            };
            let source = core.blocking(read).await.map_err(|error| failed(error.to_string()))?;
            let execution =
                Execution { path: Some(path.clone()), ..executions::new(session_id, ExecutionKind::Startup) };
            let turn = self.live.take_startup_turn()?;
            let ended = Task::begin(&core.0, &self.live, turn, execution, source)?.run().await?;
            let (execution_id, error) = (ended.execution.id, ended.execution.error.clone());
            self.startup.push(ended.execution);
            if let Some(limit) = ended.limit {
                let configured = limits.get(limit);
                return Err(Error::LimitExceeded { session_id, execution_id, limit, configured });
            }
            if let Some(error) = error {
                return Err(failed(error.message));
            }
            if let Some(making) = &mut self.making {
                let mut turn = self.live.take_startup_turn()?;
                making.step(machine_of(&mut turn, session_id)?, ended.is_repeatable, self.startup.last())?;
            }
        }
        Ok(())
    }

    /// The path of the next startup file, where it is, and what bounds it.
    fn next_file(&self) -> Result<Option<(String, Arc<Worktree>, Limits)>, Error> {
        let mut turn = self.live.take_startup_turn()?;
        let machine = machine_of(&mut turn, self.live.id)?;
        let file = machine.template.startup_files.get(self.startup.len());
        Ok(file.map(|file| (file.path.clone(), machine.worktree.clone(), machine.template.settings.limits.clone())))
    }

    /// Until all is stored, nobody else has a turn: what they changed would be stored before it.
    fn make_ready(&mut self, parts: &Parts) -> Result<Session, Error> {
        let mut turn = self.live.take_startup_turn()?;
        let machine = machine_of(&mut turn, self.live.id)?;
        // whoever closes it from here on waits for the turn
        if !self.live.ready() {
            return Err(gone(&self.live));
        }
        let saving = machine.saving_start();
        let session = Session { status: SessionStatus::Ready, ..self.session.clone() };
        parts.store.finish_start(&session, &self.startup, saving.effect())?;
        machine.saved(&saving);
        tracing::info!(session_id = %session.id, status = %session.status, "session created");
        if let Some(making) = self.making.take()
            && let Err(error) = keep_image(parts, machine, making)
        {
            tracing::warn!(session_id = %session.id, %error, "no image could be made of a session's startup");
        }
        Ok(session)
    }

    /// Answers why the session did not start.
    fn give_up(self: Box<Self>, parts: &Parts, error: Error) -> Error {
        let Self { mut session, live, startup, .. } = *self;
        // the next daemon says that this one was interrupted
        if let Err(ending) = parts.live.get(live.id) {
            return ending;
        }
        // which also stops its libraries and startup files
        let error = if live.status() == SessionStatus::Closed {
            session.status = SessionStatus::Closed;
            session.closed_at = Some(closed_at(parts, live.id));
            gone(&live)
        } else {
            live.stop(SessionStatus::Crashed);
            session.status = SessionStatus::Crashed;
            session.last_error = Some(error.to_string());
            error
        };
        tracing::info!(session_id = %session.id, status = %session.status, "session created");
        let saved = parts.store.finish_start(&session, &startup, Effect::Unchanged);
        parts.live.remove(&live);
        match saved {
            Ok(()) => error,
            Err(unsaved) => {
                let why = session.last_error.unwrap_or_else(|| unsaved.to_string());
                parts.amends.make(parts, Amend::Crashed(live.id, why));
                unsaved.into()
            }
        }
    }
}

/// Whoever closed it may have stored it by now.
fn closed_at(parts: &Parts, id: SessionId) -> Timestamp {
    let row = parts.store.session(id).ok().flatten();
    row.and_then(|session| session.closed_at).unwrap_or_else(Timestamp::now)
}

/// Unless a file was changed while it was run.
fn keep_image(parts: &Parts, machine: &Machine, making: Making) -> Result<(), Error> {
    let key = making.key;
    match making.finish(machine) {
        Some((recipe, state)) if images::key(parts, &machine.template, &machine.worktree) == Some(key) => {
            parts.images.add(parts, key, recipe, &state)
        }
        _ => Ok(()),
    }
}

fn machine_of(turn: &mut Turn, session_id: SessionId) -> Result<&mut Machine, Error> {
    turn.as_mut().ok_or(Error::SessionNotReady { session_id, status: SessionStatus::Closed })
}
