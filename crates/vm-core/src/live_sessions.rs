//! All sessions that are in memory.

use std::{
    collections::{HashMap, hash_map::Entry},
    ptr,
    sync::{Arc, Mutex},
    time::Instant,
};

use vm_model::{ExecutionId, SessionId, SessionStatus};

use crate::{
    Error,
    live::{Current, Holder, LiveSession, Turn, lock},
};

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
            session.freed().await;
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
        match session.take_ready(Holder::Call)? {
            Ok(turn) => Ok((session, Some(turn))),
            Err(Holder::Daemon) => Ok((session, None)),
            Err(Holder::Call) => Err(Error::SessionBusy(id)),
        }
    }

    /// Takes the turn of a session in memory for the daemon itself; [`LiveSessions::release`] gives it back. Waits while the
    /// daemon itself has it; nothing if something runs in it.
    pub async fn hold(&self, id: SessionId) -> Option<(Arc<LiveSession>, Turn)> {
        loop {
            let session = match self.try_hold(id)? {
                (session, Some(turn)) => return Some((session, turn)),
                (session, None) => session,
            };
            session.freed().await;
        }
    }

    /// No turn: the daemon itself has it for a moment.
    fn try_hold(&self, id: SessionId) -> Option<(Arc<LiveSession>, Option<Turn>)> {
        let registry = lock(&self.0);
        let session = registry.sessions.get(&id)?.clone();
        match session.take_ready(Holder::Daemon).ok()? {
            Ok(turn) => Some((session, Some(turn))),
            Err(Holder::Daemon) => Some((session, None)),
            Err(Holder::Call) => None,
        }
    }

    /// Ends a hold. A session without a machine leaves the memory.
    pub fn release(&self, session: &LiveSession, turn: Turn) {
        let mut registry = lock(&self.0);
        // who is about to close it relies on its being there
        if turn.is_none() && session.status() == SessionStatus::Ready {
            registry.remove(session);
        }
        // who waits for it looks for the session again, and is not to find this one
        drop(turn);
    }

    /// Sessions that have been idle since this moment and are not at rest.
    pub fn restless_since(&self, moment: Instant) -> Vec<SessionId> {
        let registry = lock(&self.0);
        let sessions = registry.sessions.values().filter(|session| !session.is_resting());
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
        let bytes = registry.sessions.values().map(|session| session.own_bytes()).sum();
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn one_session() -> (LiveSessions, SessionId) {
        let (live, id) = (LiveSessions::default(), SessionId::new());
        live.insert(&LiveSession::new(id, SessionStatus::Ready, None, Arc::default())).unwrap();
        (live, id)
    }

    #[tokio::test]
    async fn who_calls_waits_for_the_daemon_and_for_nobody_else() {
        let (live, id) = one_session();
        let held = live.hold(id).await.unwrap();
        let mut call = Box::pin(live.enter(id));
        assert!(call.as_mut().now_or_never().is_none());
        drop(held);
        let turn = call.await.unwrap();
        assert!(matches!(live.enter(id).await, Err(Error::SessionBusy(_))));
        drop(turn);
        live.enter(id).await.unwrap();
    }

    #[tokio::test]
    async fn the_daemon_waits_for_itself_and_for_nobody_else() {
        let (live, id) = one_session();
        let held = live.hold(id).await.unwrap();
        let mut other = Box::pin(live.hold(id));
        assert!(other.as_mut().now_or_never().is_none());
        drop(held);
        let (session, turn) = other.await.unwrap();
        live.release(&session, turn);
        assert!(live.hold(id).await.is_none(), "it had no machine, and has left the memory");
        let _turn = live.enter(id).await.unwrap();
        assert!(live.hold(id).await.is_none());
    }
}
