//! The redo log: what is acknowledged before it is in the database.
//!
//! A commit of SQLite writes some eight pages, and takes as long as all else of a short execution. An entry of this log is one
//! write to a file beside the database, from which many are applied in one transaction a moment later. So whatever kills
//! the daemon loses nothing: the next one applies what is left. Nobody sees the difference, because everything else that
//! reads or writes what entries change has them applied first.
//!
//! An entry is applied to what it was made for, or not at all. The database counts its transactions, and an entry says how
//! many there had been: where a loss of power has cost the last of them, the entries after them are not applied either.
//! Where one is damaged, those of other sessions behind it are applied, and its own session is `crashed`.

mod applier;
mod frame;
mod left_over;

use std::{
    collections::{HashSet, VecDeque},
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{
    Connection, Error, ErrorCode,
    ffi::{self, SQLITE_FULL, SQLITE_IOERR_WRITE},
};
use vm_model::{SessionId, SessionStatus};

use crate::{
    ImageId, StoreError,
    checksum::checksum,
    error::Failure,
    query::{Record, one},
    readers::Readers,
    sessions,
    steps::{self, Steps},
    value::Name,
    writer::{Writer, in_savepoint},
};
pub(crate) use applier::Applier;
use frame::{Frame, Head, Key};

/// What is larger gains nothing here: bytes of steps and state.
pub(crate) const LARGEST: usize = 64 << 10;
/// So many are applied in one transaction, for whose end others may wait.
const BATCH: usize = 32;
/// The file begins anew whenever all is applied, and at this length everybody waits until all is.
const LONGEST: u64 = 8 << 20;
/// So many rows are known at most.
const MOST_KNOWN: usize = 10_000;

pub(crate) struct Redo {
    path: PathBuf,
    key: Key,
    /// Tells times apart between which the machine was off.
    boot: u32,
    writer: Arc<Writer>,
    /// Held by whoever applies entries; taken before `tail`.
    applying: Mutex<()>,
    tail: Mutex<Tail>,
    changed: Condvar,
}

struct Tail {
    file: File,
    /// Where the next entry goes in the file.
    end: u64,
    /// Its number.
    next: u64,
    /// Not applied yet, oldest first.
    pending: VecDeque<Arc<Frame>>,
    /// They could not be applied the last time.
    is_stuck: bool,
    /// Rows that are there, in the database or in an entry.
    known: HashSet<Reference>,
    is_closing: bool,
}

/// A row that must be there before an entry is made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Reference {
    Session(SessionId),
    Image(ImageId),
}

impl Redo {
    /// Opens the log of the database at `path`, after applying what the last daemon left in it.
    pub(crate) fn open(path: &Path, writer: &Arc<Writer>) -> Result<Self, StoreError> {
        let mut log = path.as_os_str().to_owned();
        log.push("-redo");
        let log = PathBuf::from(log);
        let boot = boot();
        let (applied, key) = left_over::apply(&log, writer, boot)?;
        // All of it is applied, or can never be: nothing of it may follow the entries to come, as if it belonged to them.
        let file = File::create(&log).map_err(|why| StoreError::CannotOpen {
            path: path.into(),
            why: format!("its redo log {} cannot be opened ({why})", log.display()),
            hint: "; make the folder readable and writable for this user",
        })?;
        let tail = Tail {
            file,
            end: 0,
            next: applied + 1,
            pending: VecDeque::new(),
            is_stuck: false,
            known: HashSet::new(),
            is_closing: false,
        };
        let (applying, tail) = (Mutex::default(), Mutex::new(tail));
        Ok(Self { path: log, key, boot, writer: writer.clone(), applying, tail, changed: Condvar::new() })
    }

    /// When this returns, the steps survive the death of the daemon, and are taken together. They change rows of `session`.
    pub(crate) fn append(
        &self,
        needed: Option<Reference>,
        session: SessionId,
        steps: Steps,
        readers: &Readers,
    ) -> Result<(), Failure> {
        let mut tail = self.with_room()?;
        self.writer.file.check()?;
        if let Some(needed) = needed
            && !tail.known.contains(&needed)
        {
            needed.check(&readers.lock())?;
            tail.known.insert(needed);
        }
        let head = Head { number: tail.next, commits: self.writer.commits(), boot: self.boot, session };
        let frame = Frame { head, steps: steps.0 };
        if let Err(why) = tail.file.write_all_at(&frame.encode(self.key), tail.end) {
            // Whoever asked for it is told that there is none; so must be whoever finds a part of it.
            drop(tail.file.set_len(tail.end));
            return Err(cannot_write(why));
        }
        tail.end += frame.length();
        tail.next += 1;
        tail.known.insert(Reference::Session(session));
        if tail.pending.is_empty() {
            self.changed.notify_one();
        }
        tail.pending.push_back(Arc::new(frame));
        Ok(())
    }

    /// Applies what has been appended.
    pub(crate) fn settle(&self) -> Result<(), Failure> {
        let end = {
            let tail = lock(&self.tail);
            if tail.pending.is_empty() {
                return Ok(());
            }
            tail.next
        };
        let _applying = lock(&self.applying);
        loop {
            let batch = lock(&self.tail).batch(end);
            if batch.is_empty() {
                return Ok(());
            }
            let applied = self.apply(&batch);
            lock(&self.tail).note(&batch, applied)?;
        }
    }

    /// [`Redo::settle`], if anything of this session is to be applied.
    pub(crate) fn settle_session(&self, session: SessionId) -> Result<(), Failure> {
        let is_in = lock(&self.tail).pending.iter().any(|entry| entry.head.session == session);
        if is_in { self.settle() } else { Ok(()) }
    }

    /// Runs `work` on the database as it will be when all is applied, where that cannot be done at this moment.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let _applying = lock(&self.applying);
        let pending: Vec<_> = lock(&self.tail).pending.iter().cloned().collect();
        self.writer.try_out(|db| {
            take_each(db, pending.iter().map(AsRef::as_ref))?;
            work(db)
        })
    }

    /// Does what may delete rows that entries need: all is applied before, and nothing is appended meanwhile.
    pub(crate) fn alone<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        let (_applying, mut tail) = self.settled()?;
        tail.known.clear();
        work()
    }

    /// Applies all, and takes the file away: there is nothing in it.
    pub(crate) fn close(&self) -> Result<(), Failure> {
        let _settled = self.settled()?;
        // One that stays is of no harm.
        drop(fs::remove_file(&self.path));
        Ok(())
    }

    /// The end of the log, where it can go on.
    fn with_room(&self) -> Result<MutexGuard<'_, Tail>, Failure> {
        let tail = lock(&self.tail);
        let is_gone = tail.file.metadata().is_ok_and(|file| file.nlink() == 0);
        if !is_gone && !tail.is_stuck && tail.end < LONGEST {
            return Ok(tail);
        }
        drop(tail);
        let (_applying, mut tail) = self.settled()?;
        if is_gone {
            // Somebody has deleted it. All that was in it is in the database now.
            tail.file = create(&self.path).map_err(cannot_write)?;
        }
        Ok(tail)
    }

    /// Applies all; as long as the locks are held, nothing new comes.
    fn settled(&self) -> Result<(MutexGuard<'_, ()>, MutexGuard<'_, Tail>), Failure> {
        let applying = lock(&self.applying);
        let mut tail = lock(&self.tail);
        loop {
            let batch = tail.batch(u64::MAX);
            if batch.is_empty() {
                return Ok((applying, tail));
            }
            let applied = self.apply(&batch);
            tail.note(&batch, applied)?;
        }
    }

    /// Answers the sessions of what the database does not take.
    fn apply(&self, batch: &[Arc<Frame>]) -> Result<Vec<SessionId>, Failure> {
        match self.writer.write(|db| take_all(db, batch.iter().map(AsRef::as_ref))) {
            Err(failure) if !may_pass(&failure) => {
                self.writer.write(|db| take_each(db, batch.iter().map(AsRef::as_ref)))
            }
            taken => taken.map(|()| Vec::new()),
        }
    }
}

impl Tail {
    /// The next entries to be applied, of those before number `end`.
    fn batch(&self, end: u64) -> Vec<Arc<Frame>> {
        self.pending.iter().take_while(|entry| entry.head.number < end).take(BATCH).cloned().collect()
    }

    /// What has come of applying the first entries.
    fn note(&mut self, batch: &[Arc<Frame>], applied: Result<Vec<SessionId>, Failure>) -> Result<(), Failure> {
        self.is_stuck = applied.is_err();
        for refused in applied? {
            self.known.remove(&Reference::Session(refused));
        }
        self.pending.drain(..batch.len());
        if self.pending.is_empty() {
            self.end = 0;
            if self.known.len() > MOST_KNOWN {
                self.known.clear();
            }
        }
        Ok(())
    }
}

impl Reference {
    fn check(self, db: &Connection) -> Result<(), Failure> {
        match self {
            Self::Session(id) => {
                let find = "SELECT status FROM sessions WHERE id = ?1";
                let status = one(db, find, [id.as_bytes()], |row| Record { table: "sessions", row }.get("status"))?;
                match status {
                    None => Err(Failure::Refused(StoreError::SessionNotFound(id))),
                    Some(Name(SessionStatus::Crashed)) => Err(Failure::Refused(StoreError::SessionCrashed(id))),
                    Some(_) => Ok(()),
                }
            }
            Self::Image(id) => {
                let is_there = db.prepare_cached("SELECT 1 FROM images WHERE n = ?1")?.exists([id.0])?;
                if is_there { Ok(()) } else { Err(Failure::Refused(StoreError::ImageNotFound(id))) }
            }
        }
    }
}

/// Takes all of them, or none.
fn take_all<'a>(db: &Connection, entries: impl Iterator<Item = &'a Frame>) -> Result<(), Failure> {
    let mut last = None;
    for Frame { head, steps } in not_applied(db, entries)? {
        steps::take(db, steps)?;
        last = Some(head.number);
    }
    last.map_or(Ok(()), |last| note_applied(db, last))
}

/// Takes each of them that the database takes; answers the sessions of the others. They are left out, so that they do not keep
/// all others from it, and what they were part of is `crashed`.
fn take_each<'a>(db: &Connection, entries: impl Iterator<Item = &'a Frame>) -> Result<Vec<SessionId>, Failure> {
    let mut refused = Vec::new();
    for Frame { head: Head { number, session, .. }, steps } in not_applied(db, entries)? {
        match in_savepoint(db, |db| steps::take(db, steps)) {
            Err(failure) if !may_pass(&failure) => {
                let why = failure.while_doing("store what was answered");
                tracing::error!(session_id = %session, error = %why, "what was answered is left out of the history");
                crash(db, *session, &why.to_string())?;
                refused.push(*session);
            }
            taken => taken?,
        }
        note_applied(db, *number)?;
    }
    Ok(refused)
}

/// [`sessions::crash`], where the database takes that: if not even this can be stored, it is no reason to stop all others.
fn crash(db: &Connection, id: SessionId, why: &str) -> Result<(), Failure> {
    match in_savepoint(db, |db| sessions::crash(db, id, why)) {
        Err(failure) if !may_pass(&failure) => {
            let error = failure.while_doing(format_args!("note that session {id} has crashed"));
            tracing::error!(%error, "a session that has lost something does not say so");
            Ok(())
        }
        done => done,
    }
}

/// A commit that is said to have failed may have been made.
fn not_applied<'a>(
    db: &Connection,
    entries: impl Iterator<Item = &'a Frame>,
) -> Result<impl Iterator<Item = &'a Frame>, Failure> {
    let applied: u64 = db.prepare_cached("SELECT applied FROM redo")?.query_row([], |row| row.get(0))?;
    Ok(entries.filter(move |entry| entry.head.number > applied))
}

fn note_applied(db: &Connection, number: u64) -> Result<(), Failure> {
    db.prepare_cached("UPDATE redo SET applied = ?1")?.execute([number])?;
    Ok(())
}

/// Whether it is the disk or the file that failed, and may not do so the next time.
fn may_pass(failure: &Failure) -> bool {
    match failure {
        Failure::Sqlite(error) => matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::ReadOnly
                    | ErrorCode::PermissionDenied
                    | ErrorCode::CannotOpen
                    | ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::OutOfMemory
            )
        ),
        Failure::Moved(_) | Failure::Overwritten { .. } => true,
        Failure::Damaged { .. } | Failure::Refused(_) => false,
    }
}

/// Another one after each time the machine was off.
fn boot() -> u32 {
    checksum(&[&fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default()])
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path)
}

/// As SQLite says it, so that a full disk is one wherever it is met.
fn cannot_write(why: io::Error) -> Failure {
    let code = match why.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => SQLITE_FULL,
        _ => SQLITE_IOERR_WRITE,
    };
    Error::SqliteFailure(ffi::Error::new(code), Some(format!("the redo log cannot be written: {why}"))).into()
}

/// What is guarded is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
