//! What is left of sessions and executions when a daemon starts.

use rusqlite::{Connection, Error, named_params};
use serde_json::to_string;
use vm_model::{ConsoleLevel, ExceptionPayload, ExecutionStatus, Payload, SessionStatus, Timestamp};

use crate::{Store, StoreError, error::Failure, events, value::Json};

const START_INTERRUPTED: &str = "the daemon ended while the session was being created; create a new session";
const STALE: &str = "the daemon ended, and the session's state was only in its memory; create a new session, and set \
    runtime.durability of its template to \"execution\" if state is to survive that";
const WITHOUT_STATE: &str =
    "the session was made by a version of vm-system that did not store the state of sessions; create a new session";
const OTHER_GUEST: &str = "the session's state was made by another version of the engine, and this one cannot read it; \
    create a new session";
const EXECUTION_INTERRUPTED: &str = "cancelled: the daemon ended while this was running";

/// What [`Store::recover`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recovered {
    /// Sessions that can be woken.
    pub ready: u64,
    /// Sessions that are `crashed` from now on.
    pub crashed: u64,
    /// Executions that are `cancelled` from now on.
    pub cancelled: u64,
}

impl Store {
    /// For the start of the daemon, when no session is in memory: makes `crashed` what was `starting` and what was `ready`
    /// without a stored state that `guest`, the hash of the engine's guest, can go on from; and `cancelled` what was
    /// running. Deletes nothing.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn recover(&self, guest: &[u8; 32]) -> Result<Recovered, StoreError> {
        self.write("recover the sessions of the previous daemon", |db| {
            let (crashed, cancelled) = (crash(db, guest)?, cancel(db)?);
            let ready = db
                .prepare("SELECT count(*) FROM sessions WHERE status = ?1")?
                .query_row([SessionStatus::Ready.as_str()], |row| row.get(0))?;
            Ok(Recovered { ready, crashed, cancelled })
        })
    }
}

fn crash(db: &Connection, guest: &[u8; 32]) -> Result<u64, Failure> {
    let sql = "UPDATE sessions SET status = :crashed, ended_at = :now, last_error = CASE
             WHEN status = :starting THEN :start_interrupted
             WHEN is_stale THEN :stale
             WHEN guest IS NULL THEN :without_state
             ELSE :other_guest END
         WHERE status = :starting OR status = :ready AND (is_stale OR guest IS NOT :guest)";
    let crashed = db.prepare(sql)?.execute(named_params! {
        ":crashed": SessionStatus::Crashed.as_str(),
        ":starting": SessionStatus::Starting.as_str(),
        ":ready": SessionStatus::Ready.as_str(),
        ":now": Timestamp::now().as_micros(),
        ":guest": guest,
        ":start_interrupted": START_INTERRUPTED,
        ":stale": STALE,
        ":without_state": WITHOUT_STATE,
        ":other_guest": OTHER_GUEST,
    })?;
    Ok(crashed as u64)
}

fn cancel(db: &Connection) -> Result<u64, Failure> {
    let now = Timestamp::now();
    let notice = Payload::System { message: EXECUTION_INTERRUPTED.into(), level: ConsoleLevel::Error };
    let payload = to_string(&notice).map_err(|error| Error::ToSqlConversionFailure(error.into()))?;
    // What of its events was stored ahead of its record is not all of them.
    db.execute("DELETE FROM event_chunks WHERE execution IN (SELECT n FROM executions WHERE status = 'running')", [])?;
    let mut text = String::new();
    events::encode(&mut text, 1, now, notice.kind(), &payload);
    db.prepare(
        "INSERT INTO event_chunks (execution, last_seq, events)
         SELECT n, 1, ?1 FROM executions WHERE status = 'running'",
    )?
    .execute([text])?;
    let error = ExceptionPayload { message: EXECUTION_INTERRUPTED.into(), stack: None };
    let cancelled = db
        .prepare("UPDATE executions SET status = ?1, ended_at = ?2, error = ?3 WHERE status = 'running'")?
        .execute((ExecutionStatus::Cancelled.as_str(), now.as_micros(), Json(&error)))?;
    Ok(cancelled as u64)
}
