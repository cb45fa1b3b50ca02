//! The operations on the state of sessions: their memory, and what belongs to it outside of it.

use std::sync::Arc;

use rusqlite::{Connection, Row, params, types::FromSql};
use vm_model::{Session, SessionId, SessionStatus, TemplateDetail};

use crate::{
    ImageId, Store, StoreError,
    checksum::{checksum, verify},
    error::Failure,
    query::{Record, all, one},
    sessions::{COLUMNS, session},
    steps::{Action, Steps, Value},
    value::Name,
};

/// What one execution changed, or several.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The memory, against what is stored of it.
    pub memory: Vec<u8>,
    /// The state outside of the memory, all of it; `None`: as before.
    pub host: Option<Vec<u8>>,
    /// `memory` holds all that differs from the image, and takes the place of all earlier changes.
    pub is_whole: bool,
}

/// The same, wherever it is.
#[derive(Clone, Copy)]
struct ChangeRef<'a> {
    memory: &'a [u8],
    host: Option<&'a [u8]>,
    is_whole: bool,
}

impl Change {
    fn borrow(&self) -> ChangeRef<'_> {
        ChangeRef { memory: &self.memory, host: self.host.as_deref(), is_whole: self.is_whole }
    }

    fn bytes(&self) -> usize {
        self.memory.len() + self.host.as_ref().map_or(0, Vec::len)
    }
}

/// A session, and all that its machine is made from.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredSession {
    /// Its row.
    pub session: Session,
    /// The template that it was made from, as it was then.
    pub template: Arc<TemplateDetail>,
    /// Its state as it was last stored. `None`: it is closed, or it was made before state was stored.
    pub state: Option<State>,
}

/// The state of a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// The hash of the engine's guest that made it.
    pub guest: [u8; 32],
    /// What the memory was at first; `None`: the engine's own.
    pub image: Option<ImageId>,
    /// The memory of every change since then, in order.
    pub changes: Vec<Vec<u8>>,
    /// The state outside of the memory; `None`: none was ever stored.
    pub host: Option<Vec<u8>>,
    /// It has moved on since all this was stored; see [`Effect::Unsaved`].
    pub is_stale: bool,
}

/// What the record of an execution says of its session's state.
#[derive(Clone, Copy, Debug)]
pub enum Effect<'a> {
    /// It is as it was: nothing changed, or it was rolled back.
    Unchanged,
    /// It changed, and this is stored with the record.
    Saved(&'a Change),
    /// As [`Saved`](Self::Saved), or [`Unchanged`](Self::Unchanged) if there is no change; and the record is on the disk,
    /// safe from the loss of power, before the call returns.
    Flushed(Option<&'a Change>),
    /// It changed, and nothing of that is stored: without this daemon the session is lost, until its state is saved. Costs
    /// a write for the first such execution after a save, and a look for the others.
    Unsaved,
}

impl Effect<'_> {
    pub(crate) fn is_flushed(self) -> bool {
        matches!(self, Self::Flushed(_))
    }

    /// How many bytes of state it has.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Saved(change) | Self::Flushed(Some(change)) => change.bytes(),
            Self::Unchanged | Self::Flushed(None) | Self::Unsaved => 0,
        }
    }
}

impl Store {
    /// Stores what changed in a session since its state was last stored.
    ///
    /// # Errors
    /// [`SessionNotFound`](StoreError::SessionNotFound).
    pub fn save_state(&self, id: SessionId, change: &Change) -> Result<(), StoreError> {
        self.write(format_args!("store the state of session {id}"), |db| save(db, id, change.borrow()))
    }

    /// A session with its state, all at one moment: each read of its own would cost a wake as much again. `None`: no session
    /// has this id.
    ///
    /// # Errors
    /// [`Damaged`](StoreError::Damaged) if it is not what was stored.
    pub fn stored_session(&self, id: SessionId) -> Result<Option<StoredSession>, StoreError> {
        self.read_session(id, format_args!("read the state of session {id}"), |db| {
            let find = format!(
                "SELECT {COLUMNS}, template, n, guest, image, changes, has_host, is_stale FROM sessions WHERE id = ?1"
            );
            let found = one(db, &find, [id.as_bytes()], |row| {
                Ok((session(row)?, self.shared_templates.of_session(row)?, origin(row)?))
            })?;
            let Some((session, template, origin)) = found else { return Ok(None) };
            let state = origin.map(|origin| origin.read(db)).transpose()?;
            Ok(Some(StoredSession { session, template, state }))
        })
    }

    /// How many bytes are stored of a session's state, its image aside; 0 if there is no such session.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn state_bytes(&self, id: SessionId) -> Result<u64, StoreError> {
        self.read_session(id, format_args!("measure the state of session {id}"), |db| {
            let sql = "SELECT (SELECT coalesce(sum(bytes), 0) FROM session_changes WHERE session = sessions.n)
                 + (SELECT coalesce(sum(length(host)), 0) FROM session_hosts WHERE session = sessions.n) AS bytes
                 FROM sessions WHERE id = ?1";
            Ok(one(db, sql, [id.as_bytes()], |row| Ok(row.get("bytes")?))?.unwrap_or_default())
        })
    }
}

/// Stores what an execution's record says of the state.
pub(crate) fn apply(db: &Connection, id: SessionId, effect: Effect<'_>) -> Result<(), Failure> {
    match effect {
        Effect::Unchanged | Effect::Flushed(None) => Ok(()),
        Effect::Saved(change) | Effect::Flushed(Some(change)) => save(db, id, change.borrow()),
        Effect::Unsaved => mark_stale(db, id),
    }
}

/// The steps that do the same.
pub(crate) fn push(steps: &mut Steps, id: SessionId, effect: Effect<'_>) -> Result<(), Failure> {
    match effect {
        Effect::Unchanged | Effect::Flushed(None) => Ok(()),
        Effect::Saved(Change { memory, host, is_whole }) | Effect::Flushed(Some(Change { memory, host, is_whole })) => {
            steps.push(Action::Change, params![id.as_bytes(), memory, host, is_whole])
        }
        Effect::Unsaved => steps.push(Action::Stale, params![id.as_bytes()]),
    }
}

/// Takes the row of a step.
pub(crate) fn take_change(db: &Connection, row: &[Value<'_>]) -> Result<(), Failure> {
    let [id, memory, host, is_whole] = row else { return Err(wrong_row()) };
    let change = ChangeRef {
        memory: memory.0.as_blob().map_err(|_| wrong_row())?,
        host: host.0.as_blob_or_null().map_err(|_| wrong_row())?,
        is_whole: bool::column_result(is_whole.0).map_err(|_| wrong_row())?,
    };
    save(db, session_id(id)?, change)
}

/// Takes the row of a step.
pub(crate) fn take_stale(db: &Connection, row: &[Value<'_>]) -> Result<(), Failure> {
    let [id] = row else { return Err(wrong_row()) };
    mark_stale(db, session_id(id)?)
}

fn session_id(value: &Value<'_>) -> Result<SessionId, Failure> {
    <[u8; 16]>::column_result(value.0).map(SessionId::from_bytes).map_err(|_| wrong_row())
}

fn wrong_row() -> Failure {
    Failure::Damaged { table: "redo", column: "entry", why: "has a step with other values than it needs".into() }
}

fn mark_stale(db: &Connection, id: SessionId) -> Result<(), Failure> {
    db.prepare_cached("UPDATE sessions SET is_stale = 1 WHERE id = ?1 AND NOT is_stale")?.execute([id.as_bytes()])?;
    Ok(())
}

/// A closed session has given its state back, and gets none any more.
fn save(db: &Connection, id: SessionId, change: ChangeRef<'_>) -> Result<(), Failure> {
    let find = "SELECT n, status, changes FROM sessions WHERE id = ?1";
    let found = one(db, find, [id.as_bytes()], |row| {
        let row = Record { table: "sessions", row };
        Ok((row.get::<i64>("n")?, row.get::<Name<SessionStatus>>("status")?, row.get::<i64>("changes")?))
    })?;
    let Some((n, Name(status), count)) = found else {
        return Err(Failure::Refused(StoreError::SessionNotFound(id)));
    };
    if status == SessionStatus::Closed {
        return Ok(());
    }
    if change.is_whole {
        db.prepare_cached("DELETE FROM session_changes WHERE session = ?1")?.execute([n])?;
    }
    let seq = if change.is_whole { 1 } else { count + 1 };
    db.prepare_cached(
        "INSERT INTO session_changes (session, seq, bytes, checksum, memory) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        n,
        seq,
        change.memory.len(),
        checksum(&[&seq.to_le_bytes(), change.memory]),
        change.memory
    ])?;
    if let Some(host) = change.host {
        db.prepare_cached("INSERT OR REPLACE INTO session_hosts (session, checksum, host) VALUES (?1, ?2, ?3)")?
            .execute(params![n, checksum(&[host]), host])?;
    }
    db.prepare_cached("UPDATE sessions SET changes = ?2, has_host = has_host OR ?3, is_stale = 0 WHERE n = ?1")?
        .execute(params![n, seq, change.host.is_some()])?;
    Ok(())
}

/// Gives the state of a session back.
pub(crate) fn delete(db: &Connection, id: SessionId) -> Result<(), Failure> {
    db.prepare_cached(
        "UPDATE sessions SET guest = NULL, image = NULL, changes = 0, has_host = 0, is_stale = 0 WHERE id = ?1",
    )?
    .execute([id.as_bytes()])?;
    for table in ["session_changes", "session_hosts"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE session = (SELECT n FROM sessions WHERE id = ?1)"))?
            .execute([id.as_bytes()])?;
    }
    Ok(())
}

/// Gives session `to` the same changes and host state as session `from`.
pub(crate) fn copy(db: &Connection, from: i64, to: i64) -> Result<(), Failure> {
    for (table, columns) in [("session_changes", "seq, bytes, checksum, memory"), ("session_hosts", "checksum, host")] {
        let sql =
            format!("INSERT INTO {table} (session, {columns}) SELECT ?2, {columns} FROM {table} WHERE session = ?1");
        db.prepare_cached(&sql)?.execute([from, to])?;
    }
    db.prepare_cached(
        "UPDATE sessions SET (changes, has_host) = (SELECT changes, has_host FROM sessions WHERE n = ?1) WHERE n = ?2",
    )?
    .execute([from, to])?;
    Ok(())
}

/// What a session's row says of its state.
struct Origin {
    /// The row's number.
    n: i64,
    guest: [u8; 32],
    image: Option<ImageId>,
    /// Of changes.
    count: i64,
    has_host: bool,
    is_stale: bool,
}

impl Origin {
    fn read(self, db: &Connection) -> Result<State, Failure> {
        let Self { n, guest, image, count, has_host, is_stale } = self;
        let sql = "SELECT seq, checksum, memory FROM session_changes WHERE session = ?1 ORDER BY seq";
        let mut expected = 0;
        let changes = all(db, sql, [n], |row| {
            expected += 1;
            memory(row, expected)
        })?;
        if expected != count {
            let why = format!("has {expected} of {count} changes");
            return Err(Failure::Damaged { table: "session_changes", column: "seq", why });
        }
        let host = one(db, "SELECT checksum, host FROM session_hosts WHERE session = ?1", [n], host)?;
        if has_host && host.is_none() {
            return Err(Failure::Damaged { table: "session_hosts", column: "host", why: "is missing".into() });
        }
        Ok(State { guest, image, changes, host, is_stale })
    }
}

/// Nothing if there is no state.
fn origin(row: &Row<'_>) -> Result<Option<Origin>, Failure> {
    let row = Record { table: "sessions", row };
    let Some(guest) = row.get("guest")? else { return Ok(None) };
    Ok(Some(Origin {
        n: row.get("n")?,
        guest,
        image: row.get::<Option<_>>("image")?.map(ImageId),
        count: row.get("changes")?,
        has_host: row.get("has_host")?,
        is_stale: row.get("is_stale")?,
    }))
}

fn memory(row: &Row<'_>, expected: i64) -> Result<Vec<u8>, Failure> {
    let row = Record { table: "session_changes", row };
    let (seq, memory): (i64, Vec<u8>) = (row.get("seq")?, row.get("memory")?);
    if seq != expected {
        let why = format!("is {seq} where {expected} is due");
        return Err(Failure::Damaged { table: row.table, column: "seq", why });
    }
    verify(row.get("checksum")?, &[&seq.to_le_bytes(), &memory], row.table, "memory")?;
    Ok(memory)
}

fn host(row: &Row<'_>) -> Result<Vec<u8>, Failure> {
    let row = Record { table: "session_hosts", row };
    let host: Vec<u8> = row.get("host")?;
    verify(row.get("checksum")?, &[&host], row.table, "host")?;
    Ok(host)
}
