//! A session that is in memory, and what runs in it.

use std::{
    mem,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::Notify;
use vm_engine::Run;
use vm_model::{Execution, ExecutionId, SessionId, SessionStatus};

use crate::{Error, machine::Machine};

/// A session that is in memory, or about to be.
pub(crate) struct LiveSession {
    pub id: SessionId,
    /// Told when a waiting execution is to be resumed before its time: it was stopped, or what it waits for has come.
    pub wake: Arc<Notify>,
    /// Told when a turn is over.
    freed: Notify,
    state: Mutex<State>,
}

struct State {
    status: SessionStatus,
    /// `None`: it is not in memory yet, or gone, or somebody has the turn.
    machine: Option<Machine>,
    holder: Option<Holder>,
    /// What the turn is for.
    current: Option<Arc<Current>>,
    /// The library that is being loaded.
    library: Option<Arc<Run>>,
    /// Nothing was run since the machine was put to rest.
    is_resting: bool,
    last_used: Instant,
}

/// Who has a turn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holder {
    Call,
    /// The daemon itself, for a moment, such as to record what was run: calls wait for it, and find the session anew.
    Daemon,
}

/// The execution that is running in a session.
pub(crate) struct Current {
    pub run: Arc<Run>,
    /// As it was when it began.
    pub execution: Execution,
}

/// A session's machine, for as long as nobody else has it. `None`: it is not in memory yet, or gone.
///
/// With the turn ends the execution it was taken for: the next one begins when this one cannot be seen as running any more.
pub(crate) struct Turn {
    session: Arc<LiveSession>,
    machine: Option<Machine>,
}

impl Deref for Turn {
    type Target = Option<Machine>;

    fn deref(&self) -> &Option<Machine> {
        &self.machine
    }
}

impl DerefMut for Turn {
    fn deref_mut(&mut self) -> &mut Option<Machine> {
        &mut self.machine
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = lock(&self.session.state);
        (state.machine, state.holder) = (self.machine.take(), None);
        let ended = state.current.take();
        if ended.is_some() {
            state.is_resting = false;
            state.last_used = Instant::now();
        }
        drop(state);
        self.session.freed.notify_waiters();
    }
}

impl LiveSession {
    /// `starting` with the machine; `ready` without, to be woken.
    pub fn new(id: SessionId, status: SessionStatus, machine: Option<Machine>, wake: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            id,
            wake,
            freed: Notify::new(),
            state: Mutex::new(State {
                status,
                machine,
                holder: None,
                current: None,
                library: None,
                is_resting: false,
                last_used: Instant::now(),
            }),
        })
    }

    /// The turn of a session that is ready, at once or not at all: there is no queue. Answers who has it.
    pub fn take_ready(self: &Arc<Self>, holder: Holder) -> Result<Result<Turn, Holder>, Error> {
        match self.status() {
            SessionStatus::Ready => Ok(self.take(holder)),
            status => Err(Error::SessionNotReady { session_id: self.id, status }),
        }
    }

    fn take(self: &Arc<Self>, holder: Holder) -> Result<Turn, Holder> {
        let mut state = lock(&self.state);
        match state.holder {
            Some(holder) => Err(holder),
            None => {
                state.holder = Some(holder);
                Ok(Turn { session: self.clone(), machine: state.machine.take() })
            }
        }
    }

    /// The same for what belongs to the session's start.
    pub fn take_startup_turn(self: &Arc<Self>) -> Result<Turn, Error> {
        self.take(Holder::Call).map_err(|_| Error::SessionBusy(self.id))
    }

    /// From here on the execution can be seen and stopped, until the turn ends. Refused where the session has been closed
    /// meanwhile.
    pub fn begin(&self, current: &Arc<Current>) -> Result<(), Error> {
        self.admit()?.current = Some(current.clone());
        Ok(())
    }

    /// The same for a library, which is nobody's execution and cannot be seen.
    pub fn begin_library(&self, run: &Arc<Run>) -> Result<(), Error> {
        self.admit()?.library = Some(run.clone());
        Ok(())
    }

    /// The execution is over, and is now recorded: who sees the record and calls at once is not to find it running.
    pub fn note_end(&self) {
        lock(&self.state).holder = Some(Holder::Daemon);
    }

    fn admit(&self) -> Result<MutexGuard<'_, State>, Error> {
        let state = lock(&self.state);
        match state.status {
            SessionStatus::Starting | SessionStatus::Ready => Ok(state),
            status => Err(Error::SessionNotReady { session_id: self.id, status }),
        }
    }

    pub fn end_library(&self) {
        lock(&self.state).library = None;
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

    pub fn is_resting(&self) -> bool {
        lock(&self.state).is_resting
    }

    /// Since when it has been idle, if at all, and at least since this moment.
    pub fn idle_since(&self, moment: Instant) -> Option<(Instant, SessionId)> {
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

    /// Waits until this execution is over and recorded.
    pub async fn ended(&self, id: ExecutionId) {
        self.when(|state| state.current.as_ref().is_none_or(|current| current.run.id() != id)).await;
    }

    /// Waits until nobody has the turn.
    pub async fn freed(&self) {
        self.when(|state| state.holder.is_none()).await;
    }

    /// Waits for the turn, and takes it.
    pub async fn turn(self: &Arc<Self>) -> Turn {
        loop {
            self.freed().await;
            if let Ok(turn) = self.take(Holder::Call) {
                return turn;
            }
        }
    }

    async fn when(&self, is_so: impl Fn(&State) -> bool) {
        loop {
            // before the look, so that no turn ends unnoticed between the two
            let freed = self.freed.notified();
            if is_so(&lock(&self.state)) {
                return;
            }
            freed.await;
        }
    }

    /// Bytes of memory that it has for itself; 0 while somebody has the turn.
    pub fn own_bytes(&self) -> u64 {
        lock(&self.state).machine.as_ref().map_or(0, |machine| machine.instance.own_bytes())
    }
}

/// What these locks guard is whole between any two statements, so a panic elsewhere is no reason to stop.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
