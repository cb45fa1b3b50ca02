//! Sessions are packed when they are idle for a moment, leave the memory when that lasts, and come back with their next call.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use vm_model::{Session, SessionId, SessionStatus};
use vm_store::Change;

use crate::{
    Core, Error,
    core::Parts,
    live::{LiveSession, Turn},
    machine::{Machine, Saving},
    task::crash,
};

/// How often idle sessions are looked for, at most and at least.
const LOOK: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// After how long an idle session is packed, and how often such ones are looked for.
const REST: Duration = Duration::from_secs(1);
/// How often the memory is looked at.
const PRESSURE_LOOK: Duration = Duration::from_millis(500);
/// As many sessions leave the memory at once when there is too little of it.
const BATCH: usize = 64;

/// Brings a session into memory, in the state in which it was stored.
pub(crate) fn wake(
    parts: &Parts,
    session: Arc<LiveSession>,
    mut turn: Turn,
) -> Result<(Arc<LiveSession>, Turn), Error> {
    match read(parts, &session) {
        Ok(machine) => {
            *turn = Some(machine);
            Ok((session, turn))
        }
        Err(error) => {
            let error = if error.is_lost_state() {
                crash(parts, &session, Error::StateLost { session_id: session.id, why: error.to_string() })
            } else {
                error
            };
            parts.live.release(&session, turn);
            Err(error)
        }
    }
}

fn read(parts: &Parts, session: &LiveSession) -> Result<Machine, Error> {
    let id = session.id;
    // a crashed one may be damaged, too; that it is crashed goes first
    let stored = parts.store.stored_session(id).or_else(|error| ready(parts, id).and(Err(error.into())));
    let stored = stored?.ok_or(Error::SessionNotFound(id))?;
    check_ready(&stored.session)?;
    Machine::restore(parts, stored, &session.wake)
}

/// A session's row, which says that it can be used.
pub(crate) fn ready(parts: &Parts, id: SessionId) -> Result<Session, Error> {
    let row = parts.store.session(id)?.ok_or(Error::SessionNotFound(id))?;
    check_ready(&row)?;
    Ok(row)
}

fn check_ready(row: &Session) -> Result<(), Error> {
    match row.status {
        SessionStatus::Ready => Ok(()),
        status => Err(Error::SessionNotReady { session_id: row.id, status }),
    }
}

/// Takes a session out of memory, if it is there and idle.
pub(crate) async fn hibernate(core: &Core, id: SessionId) -> Result<(), Error> {
    match core.0.live.hold(id).await {
        Some((session, turn)) => core.blocking(move |parts| leave(parts, &session, turn)).await,
        None => Ok(()),
    }
}

fn leave(parts: &Parts, session: &LiveSession, mut turn: Turn) -> Result<(), Error> {
    let id = session.id;
    let may_leave = turn.as_ref().is_none_or(|machine| !machine.host.is_in_transaction());
    let saved = if may_leave { save(parts, id, &mut turn, Machine::unsaved) } else { Ok(()) };
    if may_leave && saved.is_ok() {
        if let Err(error) = save(parts, id, &mut turn, Machine::in_one) {
            // All of it is stored, if not as one.
            tracing::warn!(session_id = %id, %error, "a session's state stays in pieces");
        }
        *turn = None;
    }
    parts.live.release(session, turn);
    saved
}

/// Does something with what is stored of a session; of an idle one that is all, and stays so meanwhile.
pub(crate) async fn with_stored<T: Send + 'static>(
    core: &Core,
    id: SessionId,
    work: impl FnOnce(&Parts) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let held = core.0.live.hold(id).await;
    core.blocking(move |parts| {
        let Some((session, mut turn)) = held else { return work(parts) };
        let done = save(parts, id, &mut turn, Machine::unsaved).and_then(|()| work(parts));
        parts.live.release(&session, turn);
        done
    })
    .await
}

fn save(parts: &Parts, id: SessionId, turn: &mut Turn, what: fn(&Machine) -> Option<Change>) -> Result<(), Error> {
    let Some(machine) = turn.as_mut() else { return Ok(()) };
    if let Some(change) = what(machine) {
        parts.store.save_state(id, &change).inspect_err(|_| machine.host.forget_state())?;
        machine.saved(&Saving::Change(change));
    }
    Ok(())
}

/// Looks for sessions that have been idle for so long, as long as the core lives.
pub(crate) async fn hibernate_idle(parts: Weak<Parts>, idle: Duration) {
    loop {
        tokio::time::sleep((idle / 4).clamp(LOOK.0, LOOK.1)).await;
        let Some(parts) = parts.upgrade() else { return };
        let Some(moment) = Instant::now().checked_sub(idle) else { continue };
        let idle = parts.live.idle_since(moment);
        hibernate_all(Core(parts), idle).await;
    }
}

/// Packs sessions that nobody uses at the moment, as long as the core lives.
pub(crate) async fn rest_idle(parts: Weak<Parts>) {
    loop {
        tokio::time::sleep(REST).await;
        let Some(parts) = parts.upgrade() else { return };
        let Some(moment) = Instant::now().checked_sub(REST) else { continue };
        for id in parts.live.restless_since(moment) {
            let Some((session, mut turn)) = parts.live.hold(id).await else { continue };
            let rest = move |parts: &Parts| {
                if let Some(machine) = turn.as_mut() {
                    session.rest(machine);
                }
                parts.live.release(&session, turn);
                Ok(())
            };
            if let Err(error) = Core(parts.clone()).blocking(rest).await {
                tracing::warn!(session_id = %id, %error, "a session could not be put to rest");
            }
        }
    }
}

/// Makes room when the memory becomes scarce, as long as the core lives.
pub(crate) async fn relieve(parts: Weak<Parts>) {
    loop {
        tokio::time::sleep(PRESSURE_LOOK).await;
        let Some(parts) = parts.upgrade() else { return };
        if parts.ceiling.is_near() {
            let mut idle = parts.live.idle_since(Instant::now());
            idle.truncate(BATCH);
            hibernate_all(Core(parts), idle).await;
        }
    }
}

async fn hibernate_all(core: Core, sessions: Vec<SessionId>) {
    for id in sessions {
        if let Err(error) = hibernate(&core, id).await {
            tracing::warn!(session_id = %id, %error, "a session could not leave the memory");
        }
    }
}
