//! The operations on executions and their events.

use std::thread;

use rusqlite::{Connection, Row, params, params_from_iter};
use vm_model::{Event, Execution, ExecutionId, ExecutionStatus, SessionId, Timestamp};

use crate::{
    Store, StoreError,
    error::Failure,
    events::{self, Chunk},
    query::{Record, all, one},
    redo::Reference,
    state::Effect,
    steps::{Action, Steps, Value},
    value::{Json, Name},
};

/// As many chunks of events are stored in one transaction.
const FEW_CHUNKS: usize = 2;

impl Store {
    /// Stores an execution, the events in it and its effect on the state of its session: all of it, or nothing. If it began
    /// with [`Store::begin_execution`], it takes the place of what was stored then.
    ///
    /// # Errors
    /// [`SessionNotFound`](StoreError::SessionNotFound).
    pub fn insert_execution(&self, execution: &Execution, effect: Effect<'_>) -> Result<(), StoreError> {
        let mut chunks = events::chunks(execution.events.as_deref().unwrap_or_default());
        let is_long = chunks.len() > FEW_CHUNKS;
        let session = execution.session_id;
        let mut store = || {
            if is_long {
                self.store_ahead(execution, &mut chunks)?;
            }
            let doing = format_args!("store execution {}", execution.id);
            let steps = |steps: &mut Steps| push(steps, execution, &chunks);
            self.record(doing, Some(Reference::Session(session)), session, steps, effect)
        };
        store().inspect_err(|_| {
            if is_long {
                // Where that fails too, it is seen as one that is running until it is called off.
                let _ = self.forget_execution(execution.id);
            }
        })
    }

    /// Stores most of its events, a few at a time, as those of an execution that is still running: others would have to wait
    /// while all of them are stored. Only the last ones come with the record, and make them seen.
    fn store_ahead(&self, execution: &Execution, chunks: &mut Vec<Chunk>) -> Result<(), StoreError> {
        let ahead: Vec<_> = chunks.drain(..chunks.len() - FEW_CHUNKS).collect();
        self.begin_execution(execution)?;
        for chunks in ahead.chunks(FEW_CHUNKS) {
            self.write(format_args!("store events of execution {}", execution.id), |db| {
                let find = "SELECT n FROM executions WHERE id = ?1";
                let Some(n) = one(db, find, [execution.id.as_bytes()], |row| Ok(row.get("n")?))? else { return Ok(()) };
                chunks.iter().try_for_each(|chunk| events::insert(db, n, &chunk.row()))
            })?;
            thread::yield_now();
        }
        Ok(())
    }

    /// Stores an execution that is still running, without its events, so that it is found as cancelled if the daemon
    /// dies. Worth its write for those that take long.
    ///
    /// # Errors
    /// [`SessionNotFound`](StoreError::SessionNotFound).
    pub fn begin_execution(&self, execution: &Execution) -> Result<(), StoreError> {
        let begun = Execution { status: ExecutionStatus::Running, events: None, ..execution.clone() };
        self.write(format_args!("store execution {}", execution.id), |db| {
            let mut steps = Steps::default();
            push(&mut steps, &begun, &[])?;
            steps.take(db)
        })
    }

    /// Takes back [`Store::begin_execution`]: there was no such execution.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn forget_execution(&self, id: ExecutionId) -> Result<(), StoreError> {
        self.write(format_args!("forget execution {id}"), |db| {
            let sql = "DELETE FROM executions WHERE id = ?1 AND status = ?2";
            db.prepare_cached(sql)?.execute(params![id.as_bytes(), ExecutionStatus::Running.as_str()])?;
            Ok(())
        })
    }

    /// The latest executions of a session, newest first, at most `limit`, without their events. None if there is no
    /// such session.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn executions(&self, session_id: SessionId, limit: u32) -> Result<Vec<Execution>, StoreError> {
        self.read_session(session_id, format_args!("list the executions of session {session_id}"), |db| {
            let sql = "SELECT * FROM executions WHERE session_id = ?1 ORDER BY n DESC LIMIT ?2";
            all(db, sql, params![session_id.as_bytes(), limit], execution)
        })
    }

    /// An execution, without its events. `None`: no execution has this id.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        self.read(format_args!("read execution {id}"), |db| {
            one(db, "SELECT * FROM executions WHERE id = ?1", [id.as_bytes()], execution)
        })
    }

    /// The events of an execution whose `seq` is greater than `after_seq`, in order; none while it is running. `None`: no
    /// execution has this id.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn events(&self, id: ExecutionId, after_seq: u64) -> Result<Option<Vec<Event>>, StoreError> {
        self.read(format_args!("read the events of execution {id}"), |db| {
            let find = "SELECT n, status = 'running' AS is_running FROM executions WHERE id = ?1";
            let found = one(db, find, [id.as_bytes()], |row| Ok((row.get("n")?, row.get("is_running")?)))?;
            match found {
                None => Ok(None),
                Some((_, true)) => Ok(Some(Vec::new())),
                Some((n, false)) => events::read(db, id, n, after_seq).map(Some),
            }
        })
    }
}

/// The steps that store an execution with its events.
pub(crate) fn push(steps: &mut Steps, execution: &Execution, chunks: &[Chunk]) -> Result<(), Failure> {
    let values = params![
        execution.id.as_bytes(),
        execution.session_id.as_bytes(),
        execution.kind.as_str(),
        execution.input,
        execution.path,
        (!execution.args.is_empty()).then_some(Json(&execution.args)),
        (!execution.env.is_empty()).then_some(Json(&execution.env)),
        execution.status.as_str(),
        execution.started_at.as_micros(),
        execution.ended_at.map(Timestamp::as_micros),
        execution.result.as_ref().map(Json),
        execution.error.as_ref().map(Json),
        Json(execution.metrics),
    ];
    steps.push(Action::Execution, values)?;
    chunks.iter().try_for_each(|chunk| steps.push(Action::Events, &chunk.row()))
}

/// Stores the row of a step, and answers its number.
pub(crate) fn insert(db: &Connection, row: &[Value<'_>]) -> Result<i64, Failure> {
    let mut insert = db.prepare_cached(
        "INSERT INTO executions (id, session_id, kind, input, path, args, env, status, started_at, ended_at, result,
             error, metrics)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, ended_at = excluded.ended_at,
             result = excluded.result, error = excluded.error, metrics = excluded.metrics
         RETURNING n",
    )?;
    insert.query_row(params_from_iter(row), |row| row.get(0)).map_err(|error| {
        let session = row.get(1).and_then(|id| id.0.as_blob().ok()?.try_into().ok()).map(SessionId::from_bytes);
        match session {
            Some(session) => Failure::or_missing(error, StoreError::SessionNotFound(session)),
            None => error.into(),
        }
    })
}

fn execution(row: &Row<'_>) -> Result<Execution, Failure> {
    let row = Record { table: "executions", row };
    let Name(kind) = row.get("kind")?;
    let Name(status) = row.get("status")?;
    let Json(metrics) = row.get("metrics")?;
    Ok(Execution {
        id: ExecutionId::from_bytes(row.get("id")?),
        session_id: SessionId::from_bytes(row.get("session_id")?),
        kind,
        input: row.get("input")?,
        path: row.get("path")?,
        args: row.get::<Option<_>>("args")?.map(|Json(args)| args).unwrap_or_default(),
        env: row.get::<Option<_>>("env")?.map(|Json(env)| env).unwrap_or_default(),
        status,
        started_at: Timestamp::from_micros(row.get("started_at")?),
        ended_at: row.get::<Option<_>>("ended_at")?.map(Timestamp::from_micros),
        result: row.get::<Option<_>>("result")?.map(|Json(result)| result),
        error: row.get::<Option<_>>("error")?.map(|Json(error)| error),
        metrics,
        events: None,
    })
}
