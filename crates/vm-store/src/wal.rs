//! Checkpoints of the write-ahead log, which move it into the database file: on a thread of their own, because they would
//! stall commits for milliseconds.

use std::{
    mem,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, hooks::Wal, wal::CheckpointMode};
use rustix::{process::setpriority_process, thread::gettid};

use crate::{
    StoreError,
    error::Failure,
    open::{cannot_open, connect},
    writer::Writer,
};

/// After how many new pages of 4 KiB there is a checkpoint: 32 MiB. Each delays the commits of a moment, and rare ones move
/// less, because the same pages are written again and again.
const STEP: u32 = 8 << 10;

/// From how many pages on the writer has to wait until the log begins anew, as under constant load it never would by
/// itself: 64 MiB.
const TOO_LONG: u32 = 16 << 10;

/// The priority of copying while others write: a tenth of a core that they want.
const PRIORITY: i32 = 10;

/// How long nothing is written before the log gives its disk space back.
const IDLE: Duration = Duration::from_secs(5);

/// How long nothing is tried after a failure, such as a full disk.
const RETRY: Duration = Duration::from_secs(10);

/// How long the writer waits for readers to leave the log. Ours take microseconds; another program may stay for long.
const PATIENCE: Duration = Duration::from_millis(20);

/// The thread that makes the checkpoints; it ends when this is dropped.
pub(crate) struct Checkpointer {
    work: Arc<Work>,
    thread: Option<JoinHandle<()>>,
}

struct Work {
    db: Mutex<Connection>,
    writer: Arc<Writer>,
    log: Arc<Log>,
}

/// What is known of the log.
#[derive(Default)]
struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// The log's length after the last commit.
    pages: u32,
    /// Its length at the last checkpoint.
    checkpointed: u32,
    commits: u64,
    /// It takes no space.
    is_truncated: bool,
    is_closing: bool,
}

impl Default for State {
    fn default() -> Self {
        Self { pages: 0, checkpointed: 0, commits: 0, is_truncated: true, is_closing: false }
    }
}

impl Checkpointer {
    /// Takes over from SQLite for the database at `path`, which nobody but `writer` writes to.
    pub(crate) fn start(path: &Path, writer: &Arc<Writer>) -> Result<Self, StoreError> {
        let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        db.busy_timeout(PATIENCE).map_err(cannot_open(path))?;
        let log = Arc::new(Log::default());
        let hook = {
            let log = log.clone();
            move |_: &mut Wal, pages| {
                log.note_commit(u32::try_from(pages).unwrap_or_default());
                Ok(())
            }
        };
        // It takes the place of the hook that makes checkpoints inside of commits.
        writer.pause(|writer| writer.wal_hook(Some(hook))).map_err(cannot_open(path))?;
        let work = Arc::new(Work { db: Mutex::new(db), writer: writer.clone(), log });
        let run = {
            let work = work.clone();
            move || work.run()
        };
        let thread = thread::Builder::new().name("checkpointer".into()).spawn(run);
        let thread = thread.map_err(|error| StoreError::CannotOpen {
            path: path.into(),
            why: format!("a thread cannot be started ({error})"),
            hint: "; raise the limit on threads of this user",
        })?;
        Ok(Self { work, thread: Some(thread) })
    }

    /// Moves all of the log into the database file, and gives the log's space back; as far as readers let it.
    pub(crate) fn truncate(&self) -> Result<(), Failure> {
        self.work.checkpoint(true)
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        lock(&self.work.log.state).is_closing = true;
        self.work.log.changed.notify_one();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that checkpoints the write-ahead log has panicked");
        }
    }
}

impl Work {
    fn run(&self) {
        while let Some(is_idle) = self.log.wait() {
            if let Err(failure) = self.checkpoint(is_idle) {
                let error = failure.while_doing("move the write-ahead log into the database file");
                let retry_s = RETRY.as_secs();
                tracing::warn!(%error, retry_s, "the write-ahead log stays as it is");
                self.log.rest();
            }
        }
    }

    /// `truncate`: whatever its length, the log gives its space back.
    fn checkpoint(&self, truncate: bool) -> Result<(), Failure> {
        let db = &mut *lock(&self.db);
        self.writer.file.check()?;
        let _writing = self.writer.file.write();
        at_low_priority(|| checkpoint(db, CheckpointMode::PASSIVE))?;
        if self.log.note_checkpoint() <= TOO_LONG && !truncate {
            return Ok(());
        }
        // What was written since, so that next to nothing is left to be moved while nobody can write.
        checkpoint(db, CheckpointMode::PASSIVE)?;
        // A log that will soon be as long again keeps its space.
        let mode = if truncate { CheckpointMode::TRUNCATE } else { CheckpointMode::RESTART };
        self.writer.pause(|_| {
            if checkpoint(db, mode)? {
                self.log.note_restart(truncate);
            }
            Ok(())
        })
    }
}

/// Answers whether all was moved. If somebody else is in the log, the next one goes on from where this one ended.
fn checkpoint(db: &mut Connection, mode: CheckpointMode) -> rusqlite::Result<bool> {
    match db.wal_checkpoint_v2(Some("main"), mode) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
        done => done.map(|_| true),
    }
}

/// On a thread of its own, because the way back to a higher priority needs a privilege.
fn at_low_priority<T: Send>(mut work: impl FnMut() -> T + Send) -> T {
    let lowered = thread::scope(|scope| {
        let work = || {
            // Where it is refused, the kernel shares the cores evenly.
            let _ = setpriority_process(Some(gettid()), PRIORITY);
            work()
        };
        thread::Builder::new().name("checkpointer".into()).spawn_scoped(scope, work).ok()?.join().ok()
    });
    // Where there is no thread to be had, others wait for this one.
    lowered.unwrap_or_else(work)
}

impl Log {
    fn note_commit(&self, pages: u32) {
        let mut state = lock(&self.state);
        let was_truncated = mem::replace(&mut state.is_truncated, false);
        if pages < state.checkpointed {
            state.checkpointed = 0; // all of it was in the file, so that it began anew
        }
        state.pages = pages;
        state.commits += 1;
        if was_truncated || state.is_due() {
            self.changed.notify_one();
        }
    }

    /// Returns the log's length.
    fn note_checkpoint(&self) -> u32 {
        let mut state = lock(&self.state);
        state.checkpointed = state.pages;
        state.pages
    }

    fn note_restart(&self, is_truncated: bool) {
        let mut state = lock(&self.state);
        (state.pages, state.checkpointed, state.is_truncated) = (0, 0, is_truncated);
    }

    /// Until the next checkpoint; `true`: it is made because there are no commits. `None`: there is none any more.
    fn wait(&self) -> Option<bool> {
        let is_truncated = |state: &mut State| state.is_truncated && !state.is_closing;
        let state = self.changed.wait_while(lock(&self.state), is_truncated).unwrap_or_else(PoisonError::into_inner);
        let commits = state.commits;
        let is_short = |state: &mut State| !state.is_due() && !state.is_closing;
        let waited = self.changed.wait_timeout_while(state, IDLE, is_short);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (!state.is_closing).then_some(state.commits == commits)
    }

    /// After a failure.
    fn rest(&self) {
        drop(self.changed.wait_timeout_while(lock(&self.state), RETRY, |state| !state.is_closing));
    }
}

impl State {
    fn is_due(&self) -> bool {
        self.pages - self.checkpointed >= STEP
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
