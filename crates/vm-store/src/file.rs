//! Whether the database file is still the one that was opened, and whole.
//!
//! SQLite goes on with a file that is deleted or overwritten, for as long as it needs no page from it: what it confirms
//! then is lost. So the file is looked at before each transaction, and before the log is moved into it. It costs a
//! microsecond.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OpenFlags};

use crate::{StoreError, error::Failure, open::connect};

pub(crate) struct DatabaseFile {
    path: PathBuf,
    /// Device and number.
    identity: (u64, u64),
    state: Mutex<State>,
}

struct State {
    /// What we know to be whole.
    known: Content,
    /// We write to it ourselves at this moment.
    is_ours: bool,
}

/// Size and time of the last change: what differs as soon as anybody writes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Content {
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Content {
    fn of(file: &Metadata) -> Self {
        Self { size: file.size(), seconds: file.mtime(), nanoseconds: file.mtime_nsec() }
    }
}

impl DatabaseFile {
    /// The file at this path, which has just been opened.
    pub(crate) fn new(path: &Path) -> Result<Self, StoreError> {
        let cannot_open = |error: io::Error| StoreError::CannotOpen {
            path: path.into(),
            why: error.to_string(),
            hint: "; choose another file",
        };
        let found = fs::metadata(path).map_err(cannot_open)?;
        let state = Mutex::new(State { known: Content::of(&found), is_ours: false });
        Ok(Self { path: path.into(), identity: (found.dev(), found.ino()), state })
    }

    /// Before something is written, to it or to the log beside it.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let found = fs::metadata(&self.path).ok().filter(|found| (found.dev(), found.ino()) == self.identity);
        let found = found.ok_or_else(|| Failure::Moved(self.path.clone()))?;
        {
            let state = lock(&self.state);
            if state.is_ours || state.known == Content::of(&found) {
                return Ok(());
            }
        }
        if found.len() == 0 {
            // SQLite would take it for a new database, and delete the log beside it.
            return Err(Failure::Overwritten { path: self.path.clone(), why: "it is empty".into() });
        }
        // Perhaps it was a backup or the `sqlite3` shell, which may.
        self.examine()?;
        lock(&self.state).known = Content::of(&found);
        Ok(())
    }

    /// Until what is answered is dropped, it is us who write to it.
    pub(crate) fn write(&self) -> Writing<'_> {
        lock(&self.state).is_ours = true;
        Writing(self)
    }

    /// Reads all of it, with a connection that has seen nothing of it before.
    fn examine(&self) -> Result<(), Failure> {
        let damaged = |why: String| Failure::Overwritten { path: self.path.clone(), why };
        let read = |db: Connection| db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        let db = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|error| damaged(error.to_string()))?;
        match read(db).map_err(|error| damaged(error.to_string()))?.as_str() {
            "ok" => Ok(()),
            why => Err(damaged(why.into())),
        }
    }
}

/// See [`DatabaseFile::write`].
pub(crate) struct Writing<'a>(&'a DatabaseFile);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.is_ours = false;
        // Whoever deletes it at this moment is noticed before the next write.
        if let Ok(found) = fs::metadata(&self.0.path) {
            state.known = Content::of(&found);
        }
    }
}

/// What is guarded is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
