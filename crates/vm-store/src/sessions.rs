//! The operations on sessions.

use std::path::PathBuf;

use rusqlite::{Connection, Error, Row, params};
use vm_model::{Execution, Session, SessionFilter, SessionId, SessionStatus, TemplateDetail, TemplateId, Timestamp};

use crate::{
    Store, StoreError,
    error::Failure,
    executions::insert,
    query::{Record, all, one},
    value::{Json, Name},
};

/// All but `template`, which most readers of a session do not want.
const COLUMNS: &str = "id, template_id, workspace_id, base_commit_oid, worktree_path, status, created_at, closed_at,
    last_error, runtime_meta";

impl Store {
    /// Stores a new session with the template that it is made from, as that template is now.
    ///
    /// # Errors
    /// Only those of the database itself; also for a worktree path that is not UTF-8.
    pub fn insert_session(&self, session: &Session, template: &TemplateDetail) -> Result<(), StoreError> {
        self.write(format_args!("store session {}", session.id), |db| {
            let not_text = || Error::ToSqlConversionFailure("the worktree's path is not UTF-8".into());
            db.prepare_cached(&format!(
                "INSERT INTO sessions ({COLUMNS}, template) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
            ))?
            .execute(params![
                session.id.as_bytes(),
                session.template_id.as_bytes(),
                session.workspace_id,
                session.base_commit_oid,
                session.worktree_path.to_str().ok_or_else(not_text)?,
                session.status.as_str(),
                session.created_at.as_micros(),
                session.closed_at.map(Timestamp::as_micros),
                session.last_error,
                session.runtime_meta.as_ref().map(Json),
                Json(template),
            ])?;
            Ok(())
        })
    }

    /// Stores what changes in the life of a session: `status`, `closed_at`, `last_error` and `runtime_meta`.
    ///
    /// # Errors
    /// [`SessionNotFound`](StoreError::SessionNotFound).
    pub fn update_session(&self, session: &Session) -> Result<(), StoreError> {
        self.write(format_args!("update session {}", session.id), |db| update(db, session))
    }

    /// Ends the start of a session: [`Store::update_session`], and [`Store::insert_execution`] for each of the startup
    /// files that ran, in one transaction.
    ///
    /// # Errors
    /// As those two; nothing is stored then.
    pub fn finish_start(&self, session: &Session, startup: &[Execution]) -> Result<(), StoreError> {
        self.write(format_args!("store the start of session {}", session.id), |db| {
            update(db, session)?;
            startup.iter().try_for_each(|execution| insert(db, execution))
        })
    }

    /// A session. `None`: no session has this id.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.read(format_args!("read session {id}"), |db| {
            one(db, &format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1"), [id.as_bytes()], session)
        })
    }

    /// The template that a session was made from, as it was then. `None`: no session has this id.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn session_template(&self, id: SessionId) -> Result<Option<TemplateDetail>, StoreError> {
        self.read(format_args!("read the template of session {id}"), |db| {
            one(db, "SELECT template FROM sessions WHERE id = ?1", [id.as_bytes()], |row| {
                let Json(template) = Record { table: "sessions", row }.get("template")?;
                Ok(template)
            })
        })
    }

    /// The sessions that the filter lets through, newest first.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, StoreError> {
        // Four statements rather than one with `?1 IS NULL OR …`, which could use no index.
        let status = if filter.status.is_some() { "status = ?1" } else { "true" };
        let template = if filter.template_id.is_some() { "template_id = ?2" } else { "true" };
        let sql = format!("SELECT {COLUMNS} FROM sessions WHERE {status} AND {template} ORDER BY n DESC LIMIT ?3");
        let params = params![
            filter.status.map(SessionStatus::as_str),
            filter.template_id.as_ref().map(TemplateId::as_bytes),
            filter.limit.map_or(-1, i64::from), // -1: no limit
        ];
        self.read("list the sessions", |db| all(db, &sql, params, session))
    }

    /// Makes every session that is `starting` or `ready` `crashed`, with `reason` as its `last_error`, and returns how
    /// many these were. For the start of the daemon, when no session has a runtime.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn abandon_sessions(&self, reason: &str) -> Result<usize, StoreError> {
        use SessionStatus::{Crashed, Ready, Starting};
        self.write("mark the sessions of the previous daemon as crashed", |db| {
            Ok(db
                .prepare_cached("UPDATE sessions SET status = ?1, last_error = ?2 WHERE status IN (?3, ?4)")?
                .execute([Crashed.as_str(), reason, Starting.as_str(), Ready.as_str()])?)
        })
    }
}

fn update(db: &Connection, session: &Session) -> Result<(), Failure> {
    let updated = db
        .prepare_cached(
            "UPDATE sessions SET status = ?2, closed_at = ?3, last_error = ?4, runtime_meta = ?5 WHERE id = ?1",
        )?
        .execute(params![
            session.id.as_bytes(),
            session.status.as_str(),
            session.closed_at.map(Timestamp::as_micros),
            session.last_error,
            session.runtime_meta.as_ref().map(Json),
        ])?;
    match updated {
        0 => Err(Failure::Refused(StoreError::SessionNotFound(session.id))),
        _ => Ok(()),
    }
}

fn session(row: &Row<'_>) -> Result<Session, Failure> {
    let row = Record { table: "sessions", row };
    let template_id = TemplateId::from_bytes(row.get("template_id")?);
    let Name(status) = row.get("status")?;
    Ok(Session {
        id: SessionId::from_bytes(row.get("id")?),
        template_id,
        vm_id: template_id,
        workspace_id: row.get("workspace_id")?,
        base_commit_oid: row.get("base_commit_oid")?,
        worktree_path: PathBuf::from(row.get::<String>("worktree_path")?),
        status,
        created_at: Timestamp::from_micros(row.get("created_at")?),
        closed_at: row.get::<Option<_>>("closed_at")?.map(Timestamp::from_micros),
        last_error: row.get("last_error")?,
        runtime_meta: row.get::<Option<_>>("runtime_meta")?.map(|Json(meta)| meta),
    })
}
