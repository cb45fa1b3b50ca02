//! The one connection that writes, and the transactions that callers share: a commit costs more than what most of them
//! have to write.
//!
//! Who finds others waiting behind leaves the transaction open for them, and the last in line, or the one that makes the
//! group large enough, commits it for all. What one of them did is a savepoint, so that its failure is its own.

use std::{
    fs::File,
    io, mem,
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use rusqlite::{
    Connection, Error, TransactionBehavior,
    ffi::{self, SQLITE_ERROR, SQLITE_IOERR_FSYNC},
};

use crate::{StoreError, error::Failure, file::DatabaseFile, open::cannot_open};

/// So that nobody waits for long, and what is open stays small.
const LARGEST_GROUP: usize = 32;

pub(crate) struct Writer {
    /// How many have the connection or wait for it.
    queue: AtomicUsize,
    /// How many transactions the database has taken, as it says itself.
    commits: Arc<AtomicU64>,
    state: Mutex<State>,
    /// The write-ahead log.
    log: File,
    pub(crate) file: DatabaseFile,
}

struct State {
    db: Connection,
    commits: Arc<AtomicU64>,
    /// Those whose work is in the transaction that is open.
    open: Option<Group>,
}

struct Group {
    size: usize,
    /// How many rows had been changed before it.
    changes: u64,
    end: Arc<End>,
}

#[derive(Default)]
struct End {
    outcome: Mutex<Option<Result<(), Fault>>>,
    known: Condvar,
}

/// An error of SQLite that several callers get.
#[derive(Clone)]
struct Fault {
    code: ffi::Error,
    message: String,
}

impl Writer {
    /// `db`: of the database at `path`, which is in WAL mode.
    pub(crate) fn new(db: Connection, path: &Path) -> Result<Self, StoreError> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let open = || {
            // The log has just been made: what is flushed to it is to be found after a loss of power.
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
            File::open(&log)
        };
        let log = open().map_err(|why: io::Error| StoreError::CannotOpen {
            path: path.into(),
            why: format!("its write-ahead log cannot be opened ({why})"),
            hint: "; make the folder readable and writable for this user",
        })?;
        // What savepoints keep would go through a file of its own.
        db.pragma_update(None, "temp_store", "MEMORY").map_err(cannot_open(path))?;
        let commits = db.query_row("SELECT commits FROM redo", [], |row| row.get(0)).map_err(cannot_open(path))?;
        let commits = Arc::new(AtomicU64::new(commits));
        let state = Mutex::new(State { db, commits: commits.clone(), open: None });
        Ok(Self { queue: AtomicUsize::new(0), commits, state, log, file: DatabaseFile::new(path)? })
    }

    /// How many transactions the database has taken. What somebody else finds there now is there when it has taken as many.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// Runs `work` as the only writer, and returns when what it did is committed, or has failed and is undone.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        self.queue.fetch_add(1, Ordering::SeqCst);
        let mut turn = Turn { queue: &self.queue, state: lock(&self.state) };
        if turn.state.open.is_none() {
            self.file.check()?;
        }
        let (value, end) = turn.state.join(work)?;
        drop(turn);
        end.wait()?;
        Ok(value)
    }

    /// Returns when all that has been committed is on the disk. Others go on writing meanwhile, which they could not if
    /// SQLite did this within the commit.
    pub(crate) fn flush(&self) -> Result<(), Failure> {
        let cannot = |why: io::Error| Error::SqliteFailure(ffi::Error::new(SQLITE_IOERR_FSYNC), Some(why.to_string()));
        Ok(self.log.sync_data().map_err(cannot)?)
    }

    /// Runs `work` while nobody writes, and undoes what it did.
    pub(crate) fn try_out<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        self.pause(|db| {
            // Undone by being dropped.
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            work(&transaction)
        })
    }

    /// Runs `work` on the connection while nobody writes and no transaction is open.
    pub(crate) fn pause<T>(&self, work: impl FnOnce(&mut Connection) -> T) -> T {
        let mut state = lock(&self.state);
        state.commit();
        work(&mut state.db)
    }
}

/// The connection in the hands of one of the queue. However that ends, those who are waiting for a commit get it.
struct Turn<'a> {
    queue: &'a AtomicUsize,
    state: MutexGuard<'a, State>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let is_last = self.queue.fetch_sub(1, Ordering::SeqCst) == 1;
        if is_last || self.state.open.as_ref().is_some_and(|group| group.size >= LARGEST_GROUP) {
            self.state.commit();
        }
    }
}

impl State {
    /// Runs `work` in the transaction that is open, or begins here.
    fn join<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<(T, Arc<End>), Failure> {
        if self.open.is_none() {
            execute(&self.db, "BEGIN IMMEDIATE")?;
        }
        let changes = self.db.total_changes();
        let group = self.open.get_or_insert_with(|| Group { size: 0, changes, end: Arc::default() });
        group.size += 1;
        let end = group.end.clone();
        let worked = in_savepoint(&self.db, work);
        // Some errors, such as a full disk, undo what the others did, too.
        if let Err(Failure::Sqlite(error)) = &worked
            && self.db.is_autocommit()
        {
            self.close(Err(Fault::from(error)));
        }
        Ok((worked?, end))
    }

    fn commit(&mut self) {
        if let Some(group) = &self.open {
            let committed = self.count_and_commit(group.changes).map_err(|error| Fault::from(&error));
            if committed.is_err() && !self.db.is_autocommit() {
                // Closing the connection is all that could be tried if this failed.
                drop(self.db.execute_batch("ROLLBACK"));
            }
            self.close(committed);
        }
    }

    /// A transaction that has changed nothing is not counted, because it takes no space on a full disk.
    fn count_and_commit(&self, changes_before: u64) -> rusqlite::Result<()> {
        if self.db.total_changes() == changes_before {
            return execute(&self.db, "COMMIT");
        }
        let mut count = self.db.prepare_cached("UPDATE redo SET commits = commits + 1 RETURNING commits")?;
        let commits = count.query_row([], |row| row.get(0))?;
        execute(&self.db, "COMMIT")?;
        self.commits.store(commits, Ordering::SeqCst);
        Ok(())
    }

    fn close(&mut self, outcome: Result<(), Fault>) {
        if let Some(group) = self.open.take() {
            *lock(&group.end.outcome) = Some(outcome);
            group.end.known.notify_all();
        }
    }
}

/// Does the work as a whole or, if it fails, not at all.
pub(crate) fn in_savepoint<T>(
    db: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    execute(db, "SAVEPOINT one")?;
    let undo = Undo(db);
    let value = work(db)?;
    execute(db, "RELEASE one")?;
    mem::forget(undo);
    Ok(value)
}

/// Undoes what was done since the savepoint, if it comes to its end.
struct Undo<'a>(&'a Connection);

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        // Refused only where SQLite has undone more already.
        drop(execute(self.0, "ROLLBACK TO one").and_then(|()| execute(self.0, "RELEASE one")));
    }
}

/// A statement that is compiled once: for so small ones that takes longer than they do.
fn execute(db: &Connection, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute([]).map(drop)
}

impl End {
    fn wait(&self) -> Result<(), Failure> {
        let outcome = self.known.wait_while(lock(&self.outcome), |outcome| outcome.is_none());
        match &*outcome.unwrap_or_else(PoisonError::into_inner) {
            Some(Err(Fault { code, message })) => Err(Error::SqliteFailure(*code, Some(message.clone())).into()),
            _ => Ok(()),
        }
    }
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        let code = error.sqlite_error().copied().unwrap_or(ffi::Error::new(SQLITE_ERROR));
        Self { code, message: error.to_string() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves nothing half-done: what was begun is undone on the way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
