//! The sessions that hold a runtime, and what runs in them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, OwnedMutexGuard};
use vm_engine::{Instance, Run};
use vm_model::{Execution, ExecutionId, SessionId, SessionStatus, TemplateDetail};
use vm_modules::Worktree;

use crate::Error;

/// A session's instance, for as long as nobody else has it. `None` once it is gone.
pub(crate) type Turn = OwnedMutexGuard<Option<Box<dyn Instance>>>;

/// A session that holds a runtime.
pub(crate) struct LiveSession {
    pub id: SessionId,
    /// The effective template: a copy, which later edits do not reach.
    pub template: TemplateDetail,
    pub worktree: Arc<Worktree>,
    /// Told when a waiting execution is to be resumed before its time: it was stopped, or what it waits for has come.
    pub wake: Arc<Notify>,
    instance: Arc<tokio::sync::Mutex<Option<Box<dyn Instance>>>>,
    state: Mutex<State>,
}

struct State {
    status: SessionStatus,
    current: Option<Arc<Current>>,
}

/// The execution that is running in a session.
pub(crate) struct Current {
    pub run: Arc<Run>,
    /// As it was when it began.
    pub execution: Execution,
}

impl LiveSession {
    pub fn new(
        id: SessionId,
        template: TemplateDetail,
        worktree: Arc<Worktree>,
        instance: Box<dyn Instance>,
        wake: Arc<Notify>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            template,
            worktree,
            wake,
            instance: Arc::new(tokio::sync::Mutex::new(Some(instance))),
            state: Mutex::new(State { status: SessionStatus::Starting, current: None }),
        })
    }

    /// The right to run something, at once or not at all: there is no queue.
    pub fn take_turn(&self) -> Result<Turn, Error> {
        let session_id = self.id;
        let status = lock(&self.state).status;
        if status == SessionStatus::Starting {
            return Err(Error::SessionNotReady { session_id, status });
        }
        self.take_startup_turn()
    }

    /// The same while the session starts.
    pub fn take_startup_turn(&self) -> Result<Turn, Error> {
        self.instance.clone().try_lock_owned().map_err(|_| Error::SessionBusy(self.id))
    }

    /// From here on the execution can be seen and stopped. Refused where the session has been closed meanwhile.
    pub fn begin(&self, current: &Arc<Current>) -> Result<(), Error> {
        let mut state = lock(&self.state);
        match state.status {
            SessionStatus::Starting | SessionStatus::Ready => {
                state.current = Some(current.clone());
                Ok(())
            }
            status => Err(Error::SessionNotReady { session_id: self.id, status }),
        }
    }

    pub fn end(&self) {
        lock(&self.state).current = None;
    }

    pub fn current(&self) -> Option<Arc<Current>> {
        lock(&self.state).current.clone()
    }

    pub fn status(&self) -> SessionStatus {
        lock(&self.state).status
    }

    /// Moves on from `starting`, unless it was closed before.
    pub fn ready(&self) -> bool {
        let mut state = lock(&self.state);
        if state.status == SessionStatus::Starting {
            state.status = SessionStatus::Ready;
        }
        state.status == SessionStatus::Ready
    }

    /// Admits nothing more, and stops what runs.
    pub fn stop(&self, status: SessionStatus) {
        let mut state = lock(&self.state);
        state.status = status;
        if let Some(current) = &state.current {
            current.run.cancel();
            self.wake.notify_one();
        }
    }

    /// Stops this execution, if it is the one that runs.
    pub fn cancel(&self, id: ExecutionId) {
        if let Some(current) = self.current().filter(|current| current.run.id() == id) {
            current.run.cancel();
            self.wake.notify_one();
        }
    }

    /// Waits until what runs now is over and recorded.
    pub async fn turn_over(&self) {
        drop(self.instance.lock().await);
    }

    /// Waits until nothing runs, and gives the runtime back.
    pub async fn idle(&self) {
        *self.instance.lock().await = None;
    }
}

/// All live sessions of a core.
#[derive(Default)]
pub(crate) struct LiveSessions(Mutex<Registry>);

#[derive(Default)]
struct Registry {
    sessions: HashMap<SessionId, Arc<LiveSession>>,
    shutting_down: bool,
}

impl LiveSessions {
    pub fn insert(&self, session: &Arc<LiveSession>) -> Result<(), Error> {
        let mut registry = lock(&self.0);
        if registry.shutting_down {
            return Err(Error::ShuttingDown);
        }
        registry.sessions.insert(session.id, session.clone());
        Ok(())
    }

    pub fn get(&self, id: SessionId) -> Result<Option<Arc<LiveSession>>, Error> {
        let registry = lock(&self.0);
        if registry.shutting_down { Err(Error::ShuttingDown) } else { Ok(registry.sessions.get(&id).cloned()) }
    }

    pub fn remove(&self, id: SessionId) -> Option<Arc<LiveSession>> {
        lock(&self.0).sessions.remove(&id)
    }

    /// The ready ones, oldest first.
    pub fn active(&self) -> Vec<SessionId> {
        let registry = lock(&self.0);
        let ready = registry.sessions.values().filter(|session| session.status() == SessionStatus::Ready);
        let mut ids: Vec<_> = ready.map(|session| session.id).collect();
        ids.sort_unstable();
        ids
    }

    pub fn running(&self) -> usize {
        lock(&self.0).sessions.values().filter(|session| session.current().is_some()).count()
    }

    /// The session in which the execution of this id is running.
    pub fn session_running(&self, id: ExecutionId) -> Option<Arc<LiveSession>> {
        let registry = lock(&self.0);
        let runs = |session: &&Arc<LiveSession>| session.current().is_some_and(|current| current.run.id() == id);
        registry.sessions.values().find(runs).cloned()
    }

    /// The execution of this id, if it is running.
    pub fn find_running(&self, id: ExecutionId) -> Option<Arc<Current>> {
        self.session_running(id)?.current().filter(|current| current.run.id() == id)
    }

    /// Admits nothing more, stops everything, and hands out what is to be waited for.
    pub fn stop_all(&self) -> Vec<Arc<LiveSession>> {
        let mut registry = lock(&self.0);
        registry.shutting_down = true;
        let sessions: Vec<_> = registry.sessions.drain().map(|(_, session)| session).collect();
        drop(registry);
        for session in &sessions {
            session.stop(SessionStatus::Closed);
        }
        sessions
    }
}

/// What these locks guard is whole between any two statements, so a panic elsewhere is no reason to stop.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
