//! The operations on sessions.

use std::{path::PathBuf, sync::Arc};

use rusqlite::{Connection, Error, Row, params, params_from_iter, types::ValueRef};
use vm_model::{Execution, Session, SessionFilter, SessionId, SessionStatus, TemplateDetail, TemplateId, Timestamp};

use crate::{
    Effect, ImageId, Store, StoreError,
    error::Failure,
    events, executions,
    images::note_use,
    query::{Record, all, one, readable},
    redo::Reference,
    state,
    steps::{Action, Steps, Value},
    value::{Json, Name},
};

/// All that a [`Session`] is made of.
pub(crate) const COLUMNS: &str =
    "id, template_id, workspace_id, base_commit_oid, worktree_path, status, created_at, closed_at,
    last_error, runtime_meta, parent";

impl Store {
    /// Stores a new session with the template that it is made from, as that template is now. Its state is that of the
    /// image, or the engine's own if there is none, of the engine's guest with this hash.
    ///
    /// # Errors
    /// [`ImageNotFound`](StoreError::ImageNotFound). A worktree path that is not UTF-8 is refused, too.
    pub fn insert_session(
        &self,
        session: &Session,
        template: &Arc<TemplateDetail>,
        guest: &[u8; 32],
        image: Option<ImageId>,
    ) -> Result<(), StoreError> {
        self.write(format_args!("store session {}", session.id), |db| {
            let mut steps = Steps::default();
            let template = self.shared_templates.write(template)?;
            push(&mut steps, session, &Origin { template: &template, guest: Some(*guest), image })?;
            steps.take(db)
        })
    }

    /// Stores what changes in the life of a session: `status`, `closed_at`, `last_error` and `runtime_meta`. One that is
    /// `closed` gives its state back, and stays as it is from then on.
    ///
    /// # Errors
    /// [`SessionNotFound`](StoreError::SessionNotFound).
    pub fn update_session(&self, session: &Session) -> Result<(), StoreError> {
        self.write(format_args!("update session {}", session.id), |db| update(db, session))
    }

    /// Ends the start of a session: [`Store::update_session`], and [`Store::insert_execution`] for each of the startup
    /// files that ran, in one transaction. `effect`: of all of them together.
    ///
    /// # Errors
    /// As those two; nothing is stored then.
    pub fn finish_start(&self, session: &Session, startup: &[Execution], effect: Effect<'_>) -> Result<(), StoreError> {
        self.commit(effect.is_flushed(), format_args!("store the start of session {}", session.id), |db| {
            update(db, session)?;
            let mut steps = Steps::default();
            push_startup(&mut steps, startup)?;
            steps.take(db)?;
            state::apply(db, session.id, effect)
        })
    }

    /// [`Store::insert_session`] and [`Store::finish_start`] together, for a session that starts at once.
    ///
    /// # Errors
    /// As those two; nothing is stored then.
    pub fn insert_started_session(
        &self,
        session: &Session,
        template: &Arc<TemplateDetail>,
        guest: &[u8; 32],
        image: Option<ImageId>,
        startup: &[Execution],
        effect: Effect<'_>,
    ) -> Result<(), StoreError> {
        let steps = |steps: &mut Steps| {
            let template = self.shared_templates.write(template)?;
            push(steps, session, &Origin { template: &template, guest: Some(*guest), image })?;
            push_startup(steps, startup)
        };
        let doing = format_args!("store session {}", session.id);
        self.record(doing, image.map(Reference::Image), session.id, steps, effect)
    }

    /// Stores a new session with the template and the stored state of another one; answers whether that one is ready, and
    /// what is stored is its state. `flush`: as with [`Effect::Flushed`].
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn fork_session(&self, parent: SessionId, child: &Session, flush: bool) -> Result<bool, StoreError> {
        self.commit(flush, format_args!("store session {}, a fork of session {parent}", child.id), |db| {
            let sql =
                "SELECT n, template, guest, image FROM sessions WHERE id = ?1 AND status = 'ready' AND NOT is_stale";
            let forked = one(db, sql, [parent.as_bytes()], |row| {
                let row = Record { table: "sessions", row };
                let template: String = row.get("template")?;
                let image = row.get::<Option<_>>("image")?.map(ImageId);
                let mut steps = Steps::default();
                push(&mut steps, child, &Origin { template: &template, guest: row.get("guest")?, image })?;
                steps.take(db)?;
                state::copy(db, row.get("n")?, db.last_insert_rowid())
            })?;
            Ok(forked.is_some())
        })
    }

    /// A session. `None`: no session has this id.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.read_session(id, format_args!("read session {id}"), |db| {
            one(db, &format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1"), [id.as_bytes()], session)
        })
    }

    /// The template that a session was made from, as it was then. `None`: no session has this id.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn session_template(&self, id: SessionId) -> Result<Option<Arc<TemplateDetail>>, StoreError> {
        self.read_session(id, format_args!("read the template of session {id}"), |db| {
            let sql = "SELECT template_id, template FROM sessions WHERE id = ?1";
            one(db, sql, [id.as_bytes()], |row| self.shared_templates.of_session(row))
        })
    }

    /// The sessions that the filter lets through, newest first. One whose row is damaged is left out; [`Store::session`]
    /// names the damage.
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
        self.read("list the sessions", |db| readable(db, &sql, params, session))
    }

    /// The sessions that are `ready`, oldest first.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn ready_sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        self.read("list the ready sessions", |db| {
            let sql = "SELECT id FROM sessions WHERE status = ?1 ORDER BY n";
            all(db, sql, [SessionStatus::Ready.as_str()], |row| {
                Ok(SessionId::from_bytes(Record { table: "sessions", row }.get("id")?))
            })
        })
    }
}

/// What a session is made from.
struct Origin<'a> {
    /// As JSON.
    template: &'a str,
    guest: Option<[u8; 32]>,
    image: Option<ImageId>,
}

/// The step that stores a new session.
fn push(steps: &mut Steps, session: &Session, origin: &Origin<'_>) -> Result<(), Failure> {
    let Origin { template, guest, image } = origin;
    let not_text = || Error::ToSqlConversionFailure("the worktree's path is not UTF-8".into());
    let values = params![
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
        session.parent_session_id.as_ref().map(SessionId::as_bytes),
        template,
        guest,
        ends(session),
        image.map(|image| image.0),
    ];
    steps.push(Action::Session, values)
}

fn push_startup(steps: &mut Steps, startup: &[Execution]) -> Result<(), Failure> {
    startup.iter().try_for_each(|execution| {
        let chunks = events::chunks(execution.events.as_deref().unwrap_or_default());
        executions::push(steps, execution, &chunks)
    })
}

/// Stores the row of a step.
pub(crate) fn insert(db: &Connection, row: &[Value<'_>]) -> Result<(), Failure> {
    let inserted = db
        .prepare_cached(&format!(
            "INSERT INTO sessions ({COLUMNS}, template, guest, ended_at, image)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
        ))?
        .execute(params_from_iter(row));
    let Some(Value(ValueRef::Integer(image))) = row.last() else {
        inserted?;
        return Ok(());
    };
    let image = ImageId(*image);
    inserted.map_err(|error| Failure::or_missing(error, StoreError::ImageNotFound(image)))?;
    note_use(db, image)
}

fn update(db: &Connection, session: &Session) -> Result<(), Failure> {
    let updated = db
        .prepare_cached(
            "UPDATE sessions SET status = ?2, closed_at = ?3, last_error = ?4, runtime_meta = ?5,
                 ended_at = coalesce(?6, ended_at)
             WHERE id = ?1 AND status <> 'closed'",
        )?
        .execute(params![
            session.id.as_bytes(),
            session.status.as_str(),
            session.closed_at.map(Timestamp::as_micros),
            session.last_error,
            session.runtime_meta.as_ref().map(Json),
            ends(session),
        ])?;
    match updated {
        0 => one(db, "SELECT 1 FROM sessions WHERE id = ?1", [session.id.as_bytes()], |_| Ok(()))?
            .ok_or(Failure::Refused(StoreError::SessionNotFound(session.id))),
        _ if session.status == SessionStatus::Closed => state::delete(db, session.id),
        _ => Ok(()),
    }
}

/// Makes a session `crashed` that is not closed, if there is one.
pub(crate) fn crash(db: &Connection, id: SessionId, why: &str) -> Result<(), Failure> {
    db.prepare_cached(
        "UPDATE sessions SET status = 'crashed', last_error = ?2, ended_at = ?3 WHERE id = ?1 AND status <> 'closed'",
    )?
    .execute(params![id.as_bytes(), why, Timestamp::now().as_micros()])?;
    Ok(())
}

/// Now, in microseconds, for a session that ends by being stored like this.
fn ends(session: &Session) -> Option<i64> {
    matches!(session.status, SessionStatus::Closed | SessionStatus::Crashed).then(|| Timestamp::now().as_micros())
}

pub(crate) fn session(row: &Row<'_>) -> Result<Session, Failure> {
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
        memory: None,
        parent_session_id: row.get::<Option<_>>("parent")?.map(SessionId::from_bytes),
    })
}
