//! The sessions that are in memory, and what runs in them.

use std::{
    collections::{HashMap, hash_map::Entry},
    mem, ptr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::{Notify, OwnedMutexGuard};
use vm_engine::Run;
use vm_model::{Execution, ExecutionId, SessionId, SessionStatus};

use crate::{Error, machine::Machine};

/// A session's machine, for as long as nobody else has it. `None`: it is not in memory yet, or gone.
pub(crate) type Turn = OwnedMutexGuard<Option<Machine>>;

/// A session that is in memory, or about to be.
pub(crate) struct LiveSession {
    pub id: SessionId,
    /// Told when a waiting execution is to be resumed before its time: it was stopped, or what it waits for has come.
    pub wake: Arc<Notify>,
    machine: Arc<tokio::sync::Mutex<Option<Machine>>>,
    state: Mutex<State>,
}

struct State {
    status: SessionStatus,
    current: Option<Arc<Current>>,
    /// The library that is being loaded.
    library: Option<Arc<Run>>,
    /// The daemon itself has the machine for a moment; calls wait for it, and find the session anew.
    is_moving: bool,
    /// Nothing was run since the machine was put to rest.
    is_resting: bool,
    last_used: Instant,
}

/// The execution that is running in a session.
pub(crate) struct Current {
    pub run: Arc<Run>,
    /// As it was when it began.
    pub execution: Execution,
}

impl LiveSession {
    /// `starting` with the machine; `ready` without, to be woken.
    pub fn new(id: SessionId, status: SessionStatus, machine: Option<Machine>, wake: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            id,
            wake,
            machine: Arc::new(tokio::sync::Mutex::new(machine)),
            state: Mutex::new(State {
                status,
                current: None,
                library: None,
                is_moving: false,
                is_resting: false,
                last_used: Instant::now(),
            }),
        })
    }

    /// The right to run something, at once or not at all: there is no queue.
    fn take_turn(&self) -> Result<Turn, Error> {
        match self.status() {
            SessionStatus::Ready => self.take_startup_turn(),
            status => Err(Error::SessionNotReady { session_id: self.id, status }),
        }
    }

    /// The same while the session starts.
    pub fn take_startup_turn(&self) -> Result<Turn, Error> {
        self.machine.clone().try_lock_owned().map_err(|_| Error::SessionBusy(self.id))
    }

    /// From here on the execution can be seen and stopped. Refused where the session has been closed meanwhile.
    pub fn begin(&self, current: &Arc<Current>) -> Result<(), Error> {
        self.admit()?.current = Some(current.clone());
        Ok(())
    }

    /// The same for a library, which is nobody's execution and cannot be seen.
    pub fn begin_library(&self, run: &Arc<Run>) -> Result<(), Error> {
        self.admit()?.library = Some(run.clone());
        Ok(())
    }

    fn admit(&self) -> Result<MutexGuard<'_, State>, Error> {
        let state = lock(&self.state);
        match state.status {
            SessionStatus::Starting | SessionStatus::Ready => Ok(state),
            status => Err(Error::SessionNotReady { session_id: self.id, status }),
        }
    }

    pub fn end(&self) {
        let mut state = lock(&self.state);
        (state.current, state.library, state.is_resting) = (None, None, false);
        state.last_used = Instant::now();
    }

    pub fn current(&self) -> Option<Arc<Current>> {
        lock(&self.state).current.clone()
    }

    pub fn status(&self) -> SessionStatus {
        lock(&self.state).status
    }

    /// Puts the machine to rest, whose turn the caller has.
    pub fn rest(&self, machine: &mut Machine) {
        machine.instance.rest();
        lock(&self.state).is_resting = true;
    }

    /// Moves on from `starting`, unless it was closed before.
    pub fn ready(&self) -> bool {
        let mut state = lock(&self.state);
        if state.status == SessionStatus::Starting {
            state.status = SessionStatus::Ready;
        }
        state.status == SessionStatus::Ready
    }

    fn idle_since(&self, moment: Instant) -> Option<(Instant, SessionId)> {
        let state = lock(&self.state);
        let is_idle = state.status == SessionStatus::Ready && state.current.is_none() && state.last_used <= moment;
        is_idle.then_some((state.last_used, self.id))
    }

    /// Admits nothing more, and stops what runs. Answers what its status was.
    pub fn stop(&self, status: SessionStatus) -> SessionStatus {
        let mut state = lock(&self.state);
        if let Some(library) = &state.library {
            library.cancel();
        }
        if let Some(current) = &state.current {
            current.run.cancel();
            self.wake.notify_one();
        }
        mem::replace(&mut state.status, status)
    }

    /// Takes back that a session that was ready is stopped.
    pub fn reopen(&self) {
        lock(&self.state).status = SessionStatus::Ready;
    }

    /// Stops this execution, if it is the one that runs.
    pub fn cancel(&self, id: ExecutionId) {
        if let Some(current) = self.current().filter(|current| current.run.id() == id) {
            current.run.cancel();
            self.wake.notify_one();
        }
    }

    /// Waits until what runs now is over and recorded.
    pub async fn turn(&self) -> Turn {
        self.machine.clone().lock_owned().await
    }

    /// Bytes of memory that it has for itself; nothing while something runs.
    pub fn own_bytes(&self) -> Option<u64> {
        self.machine.try_lock().ok()?.as_ref().map(|machine| machine.instance.own_bytes())
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

impl Registry {
    /// Leaves another one of the same id where it is.
    fn remove(&mut self, session: &LiveSession) {
        if self.sessions.get(&session.id).is_some_and(|other| ptr::eq(&raw const **other, session)) {
            self.sessions.remove(&session.id);
        }
    }
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

    /// A session and its turn. One that is not in memory is entered without a machine: the caller wakes it, or removes it
    /// again.
    pub async fn enter(&self, id: SessionId) -> Result<(Arc<LiveSession>, Turn), Error> {
        loop {
            let session = match self.try_enter(id)? {
                (session, Some(turn)) => return Ok((session, turn)),
                (session, None) => session,
            };
            drop(session.turn().await);
        }
    }

    /// No turn: the daemon itself has it for a moment.
    fn try_enter(&self, id: SessionId) -> Result<(Arc<LiveSession>, Option<Turn>), Error> {
        let mut registry = lock(&self.0);
        if registry.shutting_down {
            return Err(Error::ShuttingDown);
        }
        let session = match registry.sessions.entry(id) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => {
                entry.insert(LiveSession::new(id, SessionStatus::Ready, None, Arc::default())).clone()
            }
        };
        match session.take_turn() {
            Ok(turn) => Ok((session, Some(turn))),
            Err(Error::SessionBusy(_)) if lock(&session.state).is_moving => Ok((session, None)),
            Err(error) => Err(error),
        }
    }

    /// Takes an idle session's turn for the daemon itself; [`LiveSessions::release`] gives it back.
    pub fn hold(&self, id: SessionId) -> Option<(Arc<LiveSession>, Turn)> {
        let registry = lock(&self.0);
        let session = registry.sessions.get(&id)?.clone();
        let turn = session.take_turn().ok()?;
        lock(&session.state).is_moving = true;
        Some((session, turn))
    }

    /// Ends a hold. A session without a machine leaves the memory.
    pub fn release(&self, session: &LiveSession, turn: Turn) {
        let mut registry = lock(&self.0);
        let mut state = lock(&session.state);
        state.is_moving = false;
        // who is about to close it relies on its being there
        if turn.is_none() && state.status == SessionStatus::Ready {
            registry.remove(session);
        }
        drop(state);
        // under the lock: who finds that nobody holds it is to find its turn free
        drop(turn);
    }

    /// Sessions that have been idle since this moment and are not at rest.
    pub fn restless_since(&self, moment: Instant) -> Vec<SessionId> {
        let registry = lock(&self.0);
        let sessions = registry.sessions.values().filter(|session| !lock(&session.state).is_resting);
        sessions.filter_map(|session| session.idle_since(moment)).map(|(_, id)| id).collect()
    }

    /// Sessions that have been idle since this moment, the longest first.
    pub fn idle_since(&self, moment: Instant) -> Vec<SessionId> {
        let registry = lock(&self.0);
        let mut idle: Vec<_> = registry.sessions.values().filter_map(|session| session.idle_since(moment)).collect();
        idle.sort_unstable();
        idle.into_iter().map(|(_, id)| id).collect()
    }

    /// A session that is about to end, in memory or not. Nobody wakes it until it is removed.
    pub fn claim(&self, id: SessionId) -> Arc<LiveSession> {
        let new = || LiveSession::new(id, SessionStatus::Ready, None, Arc::default());
        lock(&self.0).sessions.entry(id).or_insert_with(new).clone()
    }

    pub fn remove(&self, session: &LiveSession) {
        lock(&self.0).remove(session);
    }

    /// How many bytes the idle ones have for themselves, and how many sessions are in memory.
    pub fn usage(&self) -> (u64, u64) {
        let registry = lock(&self.0);
        let bytes = registry.sessions.values().filter_map(|session| session.own_bytes()).sum();
        (bytes, registry.sessions.len() as u64)
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
