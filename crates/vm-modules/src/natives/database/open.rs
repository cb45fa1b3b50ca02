//! A connection with its limits.

use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, config::DbConfig, limits::Limit, params};

use super::{
    super::{Bounds, NativeError},
    failure::failure,
    guard::Guard,
    interrupt,
    location::Location,
};

/// Instructions of SQLite's machine between two looks at whether the execution ends: some 10 µs.
const INSTRUCTIONS: i32 = 1000;

/// What databases in memory may have, each: they are in the daemon's memory, not in the session's. Temporary tables and
/// what is sorted are not, beyond SQLite's cache they are in files, see `temporary`.
const MAX_MEMORY: i64 = 64 << 20;

/// Enough for what people write. With SQLite's own limits, a statement can take minutes to be read, in which nothing ends it,
/// and more stack than there is; see `confinement`. With these, it takes less than 0.1 s. For what no limit
/// bounds see `MAX_HEAP`.
const LIMITS: [(Limit, i32); 9] = [
    (Limit::SQLITE_LIMIT_ATTACHED, 8),
    (Limit::SQLITE_LIMIT_COLUMN, 200),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 64 << 10),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 100),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 5000),
    (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// What SQLite may have of the daemon's memory, all connections together. Where columns of subqueries are repeated within each
/// other, a short statement becomes an immense one while it is read, which nothing else ends: this does, within seconds.
const MAX_HEAP: i64 = 512 << 20;

/// Without and with shared memory (`-shm`) in WAL mode.
const SHARED: &str = "unix";
const ALONE: &str = "unix-excl";

pub(super) struct Open {
    pub connection: Connection,
    pub guard: Guard,
    /// The names of `main` and of what was attached, and what they were called by.
    schemas: Vec<(String, String)>,
    /// Whether other programs can use the database at the same time.
    is_shared: bool,
}

impl Open {
    pub fn new(location: &Location, dsn: &str, is_read_only: bool, bounds: &Bounds<'_>) -> Result<Self, NativeError> {
        let open = Self::with_vfs(SHARED, location, dsn, is_read_only, bounds)?;
        if !open.is_wal("main") {
            return Ok(open);
        }
        drop(open);
        match location {
            Location::File { access, .. } if access.contains(OpenFlags::SQLITE_OPEN_READ_ONLY) => {
                let message = "the database is in WAL mode, in which it cannot be opened for reading only";
                Err(NativeError::new("SQLITE_READONLY", message))
            }
            _ => Self::with_vfs(ALONE, location, dsn, is_read_only, bounds),
        }
    }

    fn with_vfs(
        vfs: &str,
        location: &Location,
        dsn: &str,
        is_read_only: bool,
        bounds: &Bounds<'_>,
    ) -> Result<Self, NativeError> {
        // one thread at a time, and no symlink anywhere in the path
        let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = match location {
            Location::Memory => Connection::open_with_flags_and_vfs(":memory:", OpenFlags::default() | flags, vfs),
            Location::File { path, access } => Connection::open_with_flags_and_vfs(path, *access | flags, vfs),
        };
        let connection = connection.map_err(failure)?;
        let guard = Guard::default();
        let mut open = Self { connection, guard, schemas: vec![("main".into(), dsn.into())], is_shared: vfs == SHARED };
        open.limit(bounds)?;
        open.prepare(is_read_only).map_err(failure)?;
        if *location == Location::Memory {
            open.limit_memory("main")?;
        }
        // the first look into the file
        open.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(failure)?;
        Ok(open)
    }

    fn prepare(&mut self, is_read_only: bool) -> rusqlite::Result<()> {
        let connection = &mut self.connection;
        connection.progress_handler(INSTRUCTIONS, Some(interrupt::is_stopped))?;
        connection.busy_handler(Some(interrupt::wait_for_lock))?;
        for (limit, value) in LIMITS {
            connection.set_limit(limit, value)?;
        }
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, !is_read_only)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, !is_read_only)?;
        connection.pragma_update(None, "query_only", is_read_only)?;
        connection.pragma_update_and_check(None, "hard_heap_limit", MAX_HEAP, |_| Ok(()))?;
        // a file can be damaged, also on purpose
        connection.pragma_update(None, "cell_size_check", true)?;
        // last, since it refuses most of this
        let guard = self.guard.clone();
        connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| guard.judge(&context.action)))
    }

    /// For the next call.
    pub fn limit(&self, bounds: &Bounds<'_>) -> Result<(), NativeError> {
        let length = i32::try_from(bounds.max_bytes).unwrap_or(i32::MAX);
        self.connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, length).map(drop).map_err(failure)
    }

    pub fn attach(
        &mut self,
        location: &Location,
        dsn: &str,
        schema: &str,
        bounds: &Bounds<'_>,
    ) -> Result<(), NativeError> {
        bounds.check()?;
        let path = match location {
            Location::Memory => ":memory:",
            Location::File { path, .. } => {
                path.to_str().ok_or_else(|| NativeError::new("EINVAL", "the worktree's path is no UTF-8"))?
            }
        };
        self.execute_own("ATTACH ?1 AS ?2", params![path, schema])?;
        if self.is_shared && self.is_wal(schema) {
            self.execute_own("DETACH ?1", params![schema])?;
            let message = "the database is in WAL mode, in which it can be configured, but not attached";
            return Err(NativeError::new("SQLITE_BUSY", message));
        }
        if *location == Location::Memory {
            self.limit_memory(schema)?;
        }
        self.schemas.retain(|(name, _)| name != schema);
        self.schemas.push((schema.into(), dsn.into()));
        Ok(())
    }

    /// Name and DSN of what is attached now, `main` first.
    pub fn schemas(&self) -> Vec<(String, String)> {
        self.schemas.iter().filter(|(name, _)| self.is_attached(name)).cloned().collect()
    }

    fn is_attached(&self, schema: &str) -> bool {
        self.file_of(schema).is_ok_and(|file| file.is_some())
    }

    /// The file of a schema; one in memory has an empty name. Nothing for what is not attached.
    fn file_of(&self, schema: &str) -> Result<Option<String>, NativeError> {
        let find = "SELECT file FROM pragma_database_list WHERE name = ?1 COLLATE NOCASE";
        let found = self.guard.suspend(|| {
            self.connection.prepare_cached(find)?.query_row([schema], |row| row.get::<_, Option<String>>(0)).optional()
        });
        found.map(|file| file.map(Option::unwrap_or_default)).map_err(failure)
    }

    /// What a database in memory holds; nothing for a file.
    pub fn content(&mut self, schema: &str) -> Result<Option<Vec<u8>>, NativeError> {
        if self.file_of(schema)?.is_none_or(|file| !file.is_empty()) {
            return Ok(None);
        }
        self.connection.serialize(schema).map(|data| Some(data.to_vec())).map_err(failure)
    }

    /// Puts back what a database in memory held.
    pub fn fill(&mut self, schema: &str, content: &[u8]) -> Result<(), NativeError> {
        // one in which nothing was ever made has no content
        if content.is_empty() {
            return Ok(());
        }
        let connection = &mut self.connection;
        self.guard
            .suspend(|| connection.deserialize_read_exact(schema, content, content.len(), false))
            .map_err(failure)?;
        self.limit_memory(schema)
    }

    /// For the module's own statements, which the guard would refuse.
    fn execute_own(&self, sql: &str, parameters: impl Params) -> Result<(), NativeError> {
        let statement = self.guard.suspend(|| self.connection.prepare(sql));
        statement.and_then(|mut statement| statement.execute(parameters)).map(drop).map_err(failure)
    }

    fn limit_memory(&self, schema: &str) -> Result<(), NativeError> {
        let limit = || {
            let page_size: i64 = self.connection.pragma_query_value(Some(schema), "page_size", |row| row.get(0))?;
            let pages = MAX_MEMORY / page_size;
            self.guard
                .suspend(|| self.connection.pragma_update_and_check(Some(schema), "max_page_count", pages, |_| Ok(())))
        };
        limit().map_err(failure)
    }

    /// In WAL mode, programs share an index that SQLite maps into memory from a file (`-shm`). Whoever shortens that file ends
    /// all of them, also the daemon. So it is never used: a database that is in WAL mode is opened as its only user, none is
    /// brought into it, and one that gets into it otherwise while it is open is closed.
    pub fn refuse_shared_memory(&self) -> Result<(), NativeError> {
        if self.is_shared && self.schemas.iter().any(|(schema, _)| self.is_wal(schema)) {
            let message =
                "the database was closed, because something else brought it into WAL mode; configure it again";
            return Err(NativeError::new("SQLITE_BUSY", message));
        }
        Ok(())
    }

    /// A schema that was detached is not.
    fn is_wal(&self, schema: &str) -> bool {
        let sql = format!("PRAGMA \"{}\".journal_mode", schema.replace('"', "\"\""));
        let mode = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.query_row([], |row| row.get::<_, String>(0)));
        mode.is_ok_and(|mode| mode == "wal")
    }
}
