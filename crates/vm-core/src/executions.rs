//! Executions: running code, and reading what it did.

use std::{collections::BTreeMap, sync::Arc};

use tracing::Instrument;
use vm_model::{
    Event, Execution, ExecutionId, ExecutionKind, ExecutionStatus, Limits, Metrics, ReplRequest, RunFileRequest,
    SessionId, Timestamp,
};
use vm_modules::{Worktree, WorktreeError};

use crate::{
    Core, Error,
    core::Parts,
    hibernation::{ready, wake},
    live::{LiveSession, Turn},
    task::{Task, gone},
};

/// See [`Core::executions`].
pub struct Executions<'a>(pub(crate) &'a Core);

/// A session's turn, with its machine in memory.
struct Entered {
    session: Arc<LiveSession>,
    turn: Turn,
    was_asleep: bool,
}

impl Executions<'_> {
    /// Runs a snippet and waits for its end. What it throws is in the execution, not an error.
    ///
    /// # Errors
    /// The session is unknown, not ready or busy, or a limit was exceeded: then the execution is recorded, and the
    /// session goes on.
    pub async fn repl(&self, request: ReplRequest) -> Result<Execution, Error> {
        let session = required("session_id", &request.session_id)?.parse()?;
        required("input", &request.input)?;
        let entered = self.enter(session).await?;
        let source = request.input.clone().into_bytes();
        let execution = Execution { input: Some(request.input), ..new(session, ExecutionKind::Repl) };
        self.run(entered, execution, source).await
    }

    /// Runs a file of the worktree and waits for its end.
    ///
    /// # Errors
    /// As for [`Executions::repl`]; and the path leads out of the worktree, or no regular file is there. Then nothing is
    /// recorded.
    pub async fn run_file(&self, request: RunFileRequest) -> Result<Execution, Error> {
        let session = required("session_id", &request.session_id)?.parse()?;
        required("path", &request.path)?;
        let entered = self.enter(session).await?;
        let (path, limits, worktree) = {
            let machine = entered.turn.as_ref().ok_or_else(|| gone(&entered.session))?;
            (request.path.clone(), machine.template.settings.limits.clone(), machine.worktree.clone())
        };
        let source = self.0.blocking(move |_| read_source(&worktree, &limits, &path)).await?;
        let execution = Execution {
            path: Some(request.path),
            args: request.args,
            env: request.env,
            ..new(session, ExecutionKind::RunFile)
        };
        self.run(entered, execution, source).await
    }

    async fn enter(&self, id: SessionId) -> Result<Entered, Error> {
        self.0.0.ceiling.check()?;
        let entered = self.0.0.live.enter(id).await;
        if let Err(Error::SessionBusy(_)) = entered {
            // Somebody else has it; maybe only to find that there is no such session.
            self.0.blocking(move |parts| ready(parts, id)).await?;
        }
        let (session, turn) = entered?;
        if turn.is_some() {
            return Ok(Entered { session, turn, was_asleep: false });
        }
        let (session, turn) = self.0.blocking(move |parts| wake(parts, session, turn)).await?;
        Ok(Entered { session, turn, was_asleep: true })
    }

    /// A client that goes away does not take the execution with it: it runs in a task of its own.
    async fn run(&self, entered: Entered, execution: Execution, source: Vec<u8>) -> Result<Execution, Error> {
        let Entered { session, turn, was_asleep } = entered;
        let image = turn.as_ref().and_then(|machine| machine.image.clone());
        let begun = Task::begin(&self.0.0, &session, turn, execution, source);
        // a session that the daemon's end has stopped is not closed
        let task = begun.map_err(|error| self.0.0.live.get(session.id).err().unwrap_or(error))?;
        let limits = task.limits().clone();
        let ended = self.0.0.executor.spawn_here(task.run().in_current_span()).await;
        if was_asleep {
            // not earlier: at the same time each makes the other slower
            self.0.prepare(image);
        }
        let ended = ended??;
        match ended.limit {
            None => Ok(ended.execution),
            Some(limit) => Err(Error::LimitExceeded {
                session_id: session.id,
                execution_id: ended.execution.id,
                limit,
                configured: limits.get(limit),
            }),
        }
    }

    /// A session's executions, newest first, without their events; the running one too.
    ///
    /// # Errors
    /// There is no such session.
    pub async fn list(&self, session: SessionId, limit: u32) -> Result<Vec<Execution>, Error> {
        let list = move |parts: &Parts| {
            // Looked up first: what ends in between is then in both, and never in neither.
            let running = parts.live.get(session)?.and_then(|session| session.current());
            let mut executions = parts.store.executions(session, limit)?;
            executions.retain(|execution| !parts.amends.calls_off(execution.id));
            if executions.is_empty() && running.is_none() && parts.store.session(session)?.is_none() {
                return Err(Error::SessionNotFound(session));
            }
            if let Some(running) = running
                && executions.iter().all(|execution| execution.id != running.run.id())
            {
                executions.insert(0, running.execution.clone());
                executions.truncate(limit as usize);
            }
            Ok(executions)
        };
        self.0.blocking(list).await
    }

    /// One execution, without its events.
    ///
    /// # Errors
    /// There is none of this id.
    pub async fn get(&self, id: ExecutionId) -> Result<Execution, Error> {
        let get = move |parts: &Parts| {
            let running = parts.live.find_running(id);
            let recorded = parts.store.execution(id)?.filter(|_| !parts.amends.calls_off(id));
            recorded.or_else(|| Some(running?.execution.clone())).ok_or(Error::ExecutionNotFound(id))
        };
        self.0.blocking(get).await
    }

    /// Ends a running execution at once, as `cancelled`; one that is over already stays as it is. Answers it as it is then.
    ///
    /// # Errors
    /// There is none of this id.
    pub async fn cancel(&self, id: ExecutionId) -> Result<Execution, Error> {
        if let Some(session) = self.0.0.live.session_running(id) {
            session.cancel(id);
            session.ended(id).await;
        }
        self.get(id).await
    }

    /// The events with a `seq` greater than `after_seq`; of a running execution those that there are so far.
    ///
    /// # Errors
    /// There is no execution of this id.
    pub async fn events(&self, id: ExecutionId, after_seq: u64) -> Result<Vec<Event>, Error> {
        let events = move |parts: &Parts| {
            let running = parts.live.find_running(id).map(|current| current.run.so_far().events);
            // one that takes long is recorded as running, without its events
            if let Some(recorded) = parts.store.events(id, after_seq)?
                && (running.is_none() || !recorded.is_empty())
                && !parts.amends.calls_off(id)
            {
                return Ok(recorded);
            }
            let mut events = running.ok_or(Error::ExecutionNotFound(id))?;
            events.retain(|event| event.seq > after_seq);
            Ok(events)
        };
        self.0.blocking(events).await
    }
}

/// An execution that begins now.
pub(crate) fn new(session_id: SessionId, kind: ExecutionKind) -> Execution {
    Execution {
        id: ExecutionId::new(),
        session_id,
        kind,
        input: None,
        path: None,
        args: Vec::new(),
        env: BTreeMap::new(),
        status: ExecutionStatus::Running,
        started_at: Timestamp::now(),
        ended_at: None,
        result: None,
        error: None,
        metrics: Metrics::default(),
        events: None,
    }
}

/// A file's source. One that is larger than the session's memory is read so far that the memory limit notices.
pub(crate) fn read_source(worktree: &Worktree, limits: &Limits, path: &str) -> Result<Vec<u8>, Error> {
    worktree.read(path, (limits.mem_mb << 20) + 1).map_err(|error| match error {
        WorktreeError::Outside(reason) => Error::InvalidPath { path: path.into(), reason },
        WorktreeError::NotFound => Error::FileNotFound { path: path.into(), worktree: worktree.path().to_path_buf() },
        WorktreeError::Io(error) => Error::FileUnreadable { path: path.into(), error },
    })
}

pub(crate) fn required<'a>(field: &str, value: &'a str) -> Result<&'a str, Error> {
    if value.trim().is_empty() {
        return Err(Error::Validation(format!("{field} is required and must not be blank")));
    }
    Ok(value)
}
