//! Finds, locks and configures the database file.

use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{StoreError, error::hint};

/// Only programs other than the daemon (a backup, the `sqlite3` shell) can hold the database that long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// More than the store has different statements.
const CACHED_STATEMENTS: usize = 64;

/// The database's one true path: without symlinks, so that two names of one file have one lock.
pub(crate) fn locate(path: &Path) -> Result<PathBuf, StoreError> {
    let error = |why: String, hint| StoreError::CannotOpen { path: path.into(), why, hint };
    let found = match path.canonicalize() {
        Err(missing) if missing.kind() == ErrorKind::NotFound => locate_missing(path),
        found => found,
    };
    match found {
        Ok(found) if found.is_dir() => Err(error("it is a folder".into(), "; name a file, such as vm-system.db in it")),
        Ok(found) => Ok(found),
        Err(missing) if missing.kind() == ErrorKind::NotFound => {
            Err(error("its folder does not exist".into(), "; create the folder, or choose another file"))
        }
        Err(other) => Err(error(other.to_string(), "; choose another file")),
    }
}

fn locate_missing(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(ErrorKind::NotFound)?;
    let folder = std::path::absolute(path)?.with_file_name("").canonicalize()?;
    Ok(folder.join(name))
}

/// Makes this the only daemon on the database, until the returned file is dropped. SQLite would let a second one in,
/// and both would run the same sessions. The file says which process has it, for the message to the second one.
pub(crate) fn lock(path: &Path) -> Result<File, StoreError> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let cannot = |why: io::Error| StoreError::CannotOpen {
        path: path.into(),
        why: format!("its lock {} cannot be taken ({why})", lock_path.display()),
        hint: "; make the folder writable for this user, or choose another file",
    };
    // The file stays when the lock goes: removing it would let two daemons lock two files of the same name.
    let mut file =
        fs::OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&lock_path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => {
            // No more than a help: a full disk is no reason not to start.
            drop(file.set_len(0).and_then(|()| writeln!(file, "{}", process::id())));
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = file.read_to_string(&mut text).ok();
            Err(StoreError::InUse { path: path.into(), holder: read.and_then(|_| text.trim().parse().ok()) })
        }
        Err(TryLockError::Error(why)) => Err(cannot(why)),
    }
}

/// A connection as all of them are. `access`: read-only, or read-write and create.
pub(crate) fn connect(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    // A connection is used by one thread at a time, behind a mutex of ours.
    let db = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(cannot_open(path))?;
    // Before anything is read: files that SQLite then makes beside a read-only one are read-only too, and stay.
    if access.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) && db.is_readonly("main").map_err(cannot_open(path))? {
        return Err(StoreError::CannotOpen {
            path: path.into(),
            why: "the file is read-only".into(),
            hint: "; make it writable for this user, or choose another file",
        });
    }
    configure(&db).map_err(cannot_open(path))?;
    Ok(db)
}

fn configure(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.pragma_update(None, "foreign_keys", true)?;
    // In WAL mode this survives the death of the process at any point; a power cut may cost the last commits.
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // Otherwise a statement may be compiled again for each value that it gets, in case another plan suits that better.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// SQLite's own reason for not opening the database at this path.
pub(crate) fn cannot_open(path: &Path) -> impl Fn(rusqlite::Error) -> StoreError {
    |error| StoreError::CannotOpen { path: path.into(), why: error.to_string(), hint: hint(&error) }
}
