//! A session with the module `database`.

use std::path::Path;

use rmpv::Value;
use rusqlite::Connection;
use vm_modules::{DatabaseGrant, FsGrant, Grants, NativeError};

use super::{Session, text};

pub fn grants(read_only: bool) -> Grants {
    Grants { database: Some(DatabaseGrant { read_only }), fs: Some(FsGrant::default()), ..Grants::default() }
}

pub fn session() -> Session {
    Session::new(grants(false))
}

pub fn configure(session: &mut Session, dsn: &str) -> Result<Value, NativeError> {
    session.call("database.configure", &[text("sqlite3"), text(dsn)])
}

/// With a database that is configured.
pub fn with(dsn: &str) -> Session {
    let mut session = session();
    configure(&mut session, dsn).unwrap();
    session
}

pub fn exec(session: &mut Session, sql: &str) -> Result<Value, NativeError> {
    session.call("database.exec", &[text(sql)])
}

pub fn query(session: &mut Session, sql: &str) -> Result<Value, NativeError> {
    session.call("database.query", &[text(sql)])
}

/// The only value of the only row.
pub fn value(session: &mut Session, sql: &str) -> Value {
    let rows = query(session, sql).unwrap();
    rows[0].as_map().unwrap()[0].1.clone()
}

/// A database that another program made.
pub fn foreign(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}
