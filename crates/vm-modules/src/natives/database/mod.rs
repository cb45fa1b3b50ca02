//! `database`: SQLite that keeps to the worktree.
//!
//! | module | what it holds |
//! |---|---|
//! | `confinement` | the threads of SQLite, which can open nothing but the worktree's files |
//! | `temporary` | the folder of its temporary files |
//! | `location` | what a DSN names, and that it is a file of the worktree |
//! | `open` | a connection with its limits |
//! | `guard` | which SQL is refused |
//! | `away` | what is kept of a connection while its session is not in memory |
//! | `attach` | `ATTACH` of files of the worktree |
//! | `statements` | running SQL: parameters in, rows out |
//! | `script` | where the statements of a script end |
//! | `interrupt` | how SQLite gets to know that the execution ends |
//! | `failure` | SQLite's errors as the script catches them |

mod attach;
mod away;
mod confinement;
mod failure;
mod guard;
mod interrupt;
mod location;
mod open;
mod script;
mod statements;
mod temporary;

use std::{fmt, mem, sync::Arc};

use rmpv::Value;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use self::{attach::Attach, away::Away, location::Location, open::Open};
use super::{Bounds, DatabaseGrant, NativeError, arguments::Arguments, call::encode};
use crate::Worktree;

/// The names under which Go programs know SQLite, which scripts were written with.
const DRIVERS: [&str; 2] = ["sqlite3", "sqlite"];

pub(super) struct Database {
    worktree: Arc<Worktree>,
    is_read_only: bool,
    open: Option<Open>,
    /// The connection that is to come back with the next call.
    away: Option<Vec<u8>>,
    /// The hash of the last state that was asked for; nothing if it may have changed since.
    kept: Option<[u8; 32]>,
    is_touched: bool,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("is_open", &self.open.is_some()).finish_non_exhaustive()
    }
}

impl Database {
    pub fn new(worktree: Arc<Worktree>, grant: &DatabaseGrant) -> Self {
        Self { worktree, is_read_only: grant.read_only, open: None, away: None, kept: None, is_touched: false }
    }

    /// What is to be kept of the connection while the session is not in memory; nothing if that is what it was the last time,
    /// or a transaction is open.
    pub fn state(&mut self) -> Result<Option<Vec<u8>>, NativeError> {
        if !self.is_touched || self.is_in_transaction() {
            return Ok(None);
        }
        let state = Away::of(self.open.as_mut())?.encode()?;
        self.is_touched = false;
        let hash = Some(Sha256::digest(&state).into());
        Ok((mem::replace(&mut self.kept, hash) != hash).then_some(state))
    }

    /// The last state that was asked for was not kept.
    pub fn forget_state(&mut self) {
        (self.kept, self.is_touched) = (None, true);
    }

    /// The connection comes back with the next call.
    pub fn restore(&mut self, state: &[u8]) {
        self.away = Some(state.to_vec());
    }

    pub fn is_in_transaction(&self) -> bool {
        self.open.as_ref().is_some_and(|open| !open.connection.is_autocommit())
    }

    /// Nothing for a function that is not known.
    pub fn call(
        &mut self,
        function: &str,
        arguments: &Arguments<'_>,
        bounds: &Bounds<'_>,
    ) -> Option<Result<Vec<u8>, NativeError>> {
        let mut answer = None;
        let work = |database: &mut Self| {
            (bounds.charge)(&mut || {
                answer = interrupt::while_running(bounds, || database.dispatch(function, arguments, bounds));
            });
        };
        match self.confined(work) {
            Ok(()) => answer,
            Err(error) => Some(Err(error)),
        }
    }

    fn confined(&mut self, work: impl FnOnce(&mut Self) + Send) -> Result<(), NativeError> {
        let worktree = self.worktree.clone();
        confinement::run(&worktree, self.is_read_only, || work(self))
    }

    fn dispatch(
        &mut self,
        function: &str,
        arguments: &Arguments<'_>,
        bounds: &Bounds<'_>,
    ) -> Option<Result<Vec<u8>, NativeError>> {
        self.is_touched = true;
        if let Some(away) = self.away.take()
            && !matches!(function, "configure" | "close")
        {
            let back = Away::decode(&away).and_then(|away| away.come_back(&self.worktree, self.is_read_only, bounds));
            match back {
                Ok(open) => self.open = open,
                Err(error) => return Some(Err(error)),
            }
        }
        match function {
            "configure" => Some(self.configure(arguments, bounds)),
            "query" => Some(self.query(arguments, bounds)),
            "exec" => Some(self.exec(arguments, bounds)),
            "close" => {
                self.open = None;
                Some(Ok(encode(&Value::Nil)))
            }
            _ => None,
        }
    }

    fn configure(&mut self, arguments: &Arguments<'_>, bounds: &Bounds<'_>) -> Result<Vec<u8>, NativeError> {
        let driver = arguments.string(0, "driver")?;
        if !DRIVERS.contains(&driver) {
            return Err(arguments.wrong_value("driver", &format!("is {driver:?}; there are {}", DRIVERS.join(" and "))));
        }
        let dsn = arguments.system_string(1, "dsn")?;
        let location = Location::find(&self.worktree, dsn, self.is_read_only)?;
        // not before: a mistake in the arguments leaves the connection as it was
        self.open = None;
        self.open = Some(Open::new(&location, dsn, self.is_read_only, bounds)?);
        Ok(encode(&Value::Nil))
    }

    fn query(&mut self, arguments: &Arguments<'_>, bounds: &Bounds<'_>) -> Result<Vec<u8>, NativeError> {
        self.run(arguments, bounds, statements::query, |_| encode(&Value::Array(Vec::new())))
    }

    fn exec(&mut self, arguments: &Arguments<'_>, bounds: &Bounds<'_>) -> Result<Vec<u8>, NativeError> {
        self.run(arguments, bounds, statements::exec, |connection| statements::outcome(connection, 0))
    }

    /// `ATTACH` is done here, since SQLite would look for the file in the daemon's folder.
    fn run(
        &mut self,
        arguments: &Arguments<'_>,
        bounds: &Bounds<'_>,
        run: impl FnOnce(&Connection, &str, &[Value], &Bounds<'_>) -> Result<Vec<u8>, NativeError>,
        attached: impl FnOnce(&Connection) -> Vec<u8>,
    ) -> Result<Vec<u8>, NativeError> {
        let open = self.open.as_mut().ok_or_else(|| {
            let message = "database not configured, call require('database').configure(...) first";
            NativeError::new("ERR_DATABASE_NOT_CONFIGURED", message)
        })?;
        open.limit(bounds)?;
        let sql = arguments.system_string(0, "sql")?;
        let answer = match Attach::parse(sql) {
            Some(attach) => {
                let dsn = attach.file(arguments.rest(1))?;
                let location = Location::find(&self.worktree, dsn, self.is_read_only)?;
                open.attach(&location, dsn, &attach.schema, bounds).map(|()| attached(&open.connection))
            }
            None => run(&open.connection, sql, arguments.rest(1), bounds),
        };
        let answer = answer.map_err(|error| open.guard.explain(error));
        if let Err(error) = open.refuse_shared_memory() {
            self.open = None;
            return Err(error);
        }
        answer
    }
}

impl Drop for Database {
    /// SQLite removes files when it closes some.
    fn drop(&mut self) {
        if self.open.is_some() && self.confined(|database| database.open = None).is_err() {
            mem::forget(self.open.take());
        }
    }
}
