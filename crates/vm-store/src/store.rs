//! One writer, a few readers, and the transaction that every operation runs in.

use std::{fmt::Display, fs::File, path::Path, sync::Arc};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use vm_model::SessionId;

use crate::{
    StoreError,
    error::Failure,
    known_templates::KnownTemplates,
    open::{connect, locate, lock},
    readers::Readers,
    redo::{Applier, LARGEST, Redo, Reference},
    schema,
    shared_templates::SharedTemplates,
    state::{self, Effect},
    steps::Steps,
    wal::Checkpointer,
    writer::Writer,
};

/// The database. Share it by reference or in an `Arc`; every method may be called from any thread, and blocks.
///
/// Its fields are dropped in this order: the writer after all other connections, because the last one to close folds the
/// write-ahead log into the file, and the lock at the very end.
pub struct Store {
    pub(crate) known_templates: KnownTemplates,
    pub(crate) shared_templates: SharedTemplates,
    applier: Option<Applier>,
    pub(crate) redo: Arc<Redo>,
    readers: Readers,
    pub(crate) checkpointer: Checkpointer,
    pub(crate) writer: Arc<Writer>,
    _lock: File,
}

impl Store {
    /// Opens the database at `path`, in a folder that exists; makes it if it is missing, and brings its schema up to
    /// date. As long as the store lives, no other one, of this process or another, can open the same file.
    ///
    /// # Errors
    /// [`CannotOpen`](StoreError::CannotOpen), [`InUse`](StoreError::InUse), [`Foreign`](StoreError::Foreign),
    /// [`NewerSchema`](StoreError::NewerSchema); a file that is refused is not changed.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let path = locate(path)?;
        let lock = lock(&path)?;
        let mut writer = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        schema::prepare(&mut writer, &path)?;
        let writer = Arc::new(Writer::new(writer, &path)?);
        let (readers, checkpointer) = (Readers::open(&path)?, Checkpointer::start(&path, &writer)?);
        let redo = Arc::new(Redo::open(&path, &writer)?);
        let applier = Some(Applier::start(&redo)?);
        let (known_templates, shared_templates) = (KnownTemplates::default(), SharedTemplates::default());
        Ok(Self { known_templates, shared_templates, applier, redo, readers, checkpointer, writer, _lock: lock })
    }

    /// Runs `work` on one moment of the database. `doing` completes "cannot …" if it fails.
    pub(crate) fn read<T>(
        &self,
        doing: impl Display,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.read_after(self.redo.settle(), doing, work)
    }

    /// [`Store::read`] of one session's rows: what is to be applied of others does not concern it.
    pub(crate) fn read_session<T>(
        &self,
        id: SessionId,
        doing: impl Display,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.read_after(self.redo.settle_session(id), doing, work)
    }

    fn read_after<T>(
        &self,
        settled: Result<(), Failure>,
        doing: impl Display,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        if settled.is_ok() {
            return self.read_apart(doing, work);
        }
        // The disk is full, say: no reason not to see what is in the log.
        self.redo.read(work).map_err(|failure| failure.while_doing(doing))
    }

    /// [`Store::read`] of what no entry of the redo log changes.
    pub(crate) fn read_apart<T>(
        &self,
        doing: impl Display,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let read = || {
            let mut reader = self.readers.lock();
            // Ended by being dropped.
            let transaction = reader.transaction()?;
            work(&transaction)
        };
        read().map_err(|failure| failure.while_doing(doing))
    }

    /// Runs `work` as the only writer, and commits what it did unless it fails. `doing` as in [`Store::read`].
    pub(crate) fn write<T>(
        &self,
        doing: impl Display,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.commit(false, doing, work)
    }

    /// [`Store::write`] that changes a template, or what belongs to one.
    pub(crate) fn write_template<T>(
        &self,
        doing: impl Display,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let written = self.write(doing, work);
        self.known_templates.forget();
        written
    }

    /// [`Store::write`]; `flush`: what it did is on the disk when this returns, safe from the loss of power.
    pub(crate) fn commit<T>(
        &self,
        flush: bool,
        doing: impl Display,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let commit = || {
            self.redo.settle()?;
            let result = self.writer.write(work)?;
            if flush {
                self.writer.flush()?;
            }
            Ok(result)
        };
        commit().map_err(|failure: Failure| failure.while_doing(doing))
    }

    /// Takes the steps that `push` adds, which need `needed` to be there, together with the effect on the state of a session: all
    /// of it, or nothing. Through the redo log, unless it is large or is to be on the disk.
    pub(crate) fn record(
        &self,
        doing: impl Display,
        needed: Option<Reference>,
        session: SessionId,
        push: impl FnOnce(&mut Steps) -> Result<(), Failure>,
        effect: Effect<'_>,
    ) -> Result<(), StoreError> {
        let mut steps = Steps::default();
        push(&mut steps).map_err(|failure| failure.while_doing(&doing))?;
        if effect.is_flushed() || steps.0.len() + effect.bytes() > LARGEST {
            return self.commit(effect.is_flushed(), doing, |db| {
                steps.take(db)?;
                state::apply(db, session, effect)
            });
        }
        let append = || {
            state::push(&mut steps, session, effect)?;
            self.redo.append(needed, session, steps, &self.readers)
        };
        append().map_err(|failure: Failure| failure.while_doing(doing))
    }

    /// [`Store::write`] that deletes rows on which others rely.
    pub(crate) fn delete<T>(
        &self,
        doing: impl Display,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.redo.alone(|| self.writer.write(work)).map_err(|failure| failure.while_doing(doing))
    }
}

impl Drop for Store {
    /// The last connection that closes moves the log into the file: not into one that is broken or somebody else's.
    fn drop(&mut self) {
        self.applier = None;
        if let Err(failure) = self.redo.close() {
            let error = failure.while_doing("apply the redo log");
            tracing::error!(%error, "what was acknowledged last is kept for the next start");
        }
        if self.writer.file.check().is_err() {
            let keep_log = |db: &mut Connection| db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            if let Err(error) = self.writer.pause(keep_log) {
                tracing::error!(%error, "the write-ahead log is not kept for the database file that belongs to it");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        thread,
    };

    use rusqlite::ErrorCode;

    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("test.db")).unwrap();
        (folder, store)
    }

    const INSERT: &str = "INSERT INTO sessions (id, template_id, workspace_id, base_commit_oid, worktree_path, status,
        created_at, template) VALUES (randomblob(16), zeroblob(16), '', '', '', 'ready', 0, zeroblob(?1) || '')";

    fn sessions(store: &Store) -> usize {
        store.sessions(&vm_model::SessionFilter::default()).unwrap().len()
    }

    #[test]
    fn every_connection_is_configured_and_no_reader_can_write() {
        let (_folder, store) = store();
        let readers: Vec<_> = (0..4).map(|_| store.readers.lock()).collect();
        let check = |db: &Connection| {
            let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
            assert_eq!(pragma("foreign_keys"), 1);
            assert_eq!(pragma("synchronous"), 1, "1 is NORMAL");
            assert_eq!(pragma("busy_timeout"), 10_000);
            assert_eq!(db.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0)).unwrap(), "wal");
        };
        readers.iter().for_each(|reader| check(reader));
        store.writer.pause(|db| check(db));
        for reader in readers {
            let error = reader.execute("DELETE FROM sessions", []).unwrap_err();
            assert_eq!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly));
        }
    }

    #[test]
    fn a_panic_in_a_transaction_undoes_it_and_hurts_nobody_else() {
        let (_folder, store) = store();
        let panicking = AssertUnwindSafe(|| {
            store.write::<()>("panic", |db| {
                db.execute(INSERT, [1])?;
                panic!("on purpose");
            })
        });
        assert!(catch_unwind(panicking).is_err());
        // Once for every reader, and once more.
        for _ in 0..5 {
            assert!(catch_unwind(AssertUnwindSafe(|| store.read::<()>("panic", |_| panic!("on purpose")))).is_err());
        }
        assert_eq!(sessions(&store), 0);
        store.write("insert", |db| Ok(db.execute(INSERT, [1])?)).unwrap();
        assert_eq!(sessions(&store), 1);
    }

    #[test]
    fn a_full_disk_is_named_and_leaves_nothing_behind() {
        let (_folder, store) = store();
        store.writer.pause(|db| db.pragma_update(None, "max_page_count", 40)).unwrap();
        let full = |db: &Connection| {
            db.execute(INSERT, [1])?;
            Ok(db.execute(INSERT, [1_000_000])?)
        };
        let message = store.write("store the big one", full).unwrap_err().to_string();
        assert!(message.starts_with("cannot store the big one: database or disk is full; free"), "{message}");
        assert_eq!(sessions(&store), 0);
    }

    #[test]
    fn what_was_acknowledged_is_there_when_the_disk_fills_up_under_many() {
        let (_folder, store) = store();
        store.writer.pause(|db| db.pragma_update(None, "max_page_count", 500)).unwrap();
        let insert =
            || (0..100).filter(|_| store.write("insert", |db| Ok(db.execute(INSERT, [10_000])?)).is_ok()).count();
        let stored: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(insert)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!((1..800).contains(&stored), "{stored} of 800");
        assert_eq!(sessions(&store), stored);
    }

    #[test]
    fn what_was_acknowledged_before_the_disk_is_full_is_there_when_it_has_room_again() {
        let (_folder, store) = store();
        store.write("insert", |db| Ok(db.execute(INSERT, [1])?)).unwrap();
        let session = store.sessions(&vm_model::SessionFilter::default()).unwrap()[0].id;
        let pages = |count: u32| store.writer.pause(|db| db.pragma_update(None, "max_page_count", count)).unwrap();
        pages(60);
        let input = "x".repeat(3000);
        let push = |steps: &mut Steps| {
            let id = vm_model::ExecutionId::new();
            let (none, text) = (rusqlite::types::Null, &input.as_str());
            steps.push(
                crate::steps::Action::Execution,
                &[
                    id.as_bytes(),
                    session.as_bytes(),
                    &"repl",
                    text,
                    &none,
                    &none,
                    &none,
                    &"ok",
                    &0,
                    &0,
                    &none,
                    &none,
                    &"{}",
                ],
            )
        };
        let insert = || store.record("insert", Some(Reference::Session(session)), session, push, Effect::Unchanged);
        let mut acknowledged = 0;
        let refused = loop {
            match insert() {
                Ok(()) => acknowledged += 1,
                Err(refused) => break refused,
            }
            // A write that is not one of the log notices it.
            drop(store.write("settle", |_| Ok(())));
        };
        assert!(refused.is_disk_full(), "{refused}");
        assert!(insert().is_err());
        pages(10_000);
        assert_eq!(store.executions(session, u32::MAX).unwrap().len(), acknowledged);
        insert().unwrap();
        assert_eq!(store.executions(session, u32::MAX).unwrap().len(), acknowledged + 1);
    }

    #[test]
    fn what_was_applied_though_the_commit_is_said_to_have_failed_is_not_applied_again() {
        let (_folder, store) = store();
        store.write("insert", |db| Ok(db.execute(INSERT, [1])?)).unwrap();
        let session = store.sessions(&vm_model::SessionFilter::default()).unwrap()[0].id;
        let change = crate::Change { memory: vec![1], host: None, is_whole: false };
        let save = || store.record("save", None, session, |_| Ok(()), Effect::Saved(&change)).unwrap();
        let changes = || {
            let count = "SELECT count(*) FROM session_changes";
            store.read("count", |db| Ok(db.query_row(count, [], |row| row.get::<_, u64>(0))?)).unwrap()
        };
        save();
        assert_eq!(changes(), 1);
        // as if the next two had been applied
        store.writer.pause(|db| db.execute("UPDATE redo SET applied = applied + 2", [])).unwrap();
        save();
        save();
        assert_eq!(changes(), 1);
        save();
        assert_eq!(changes(), 2);
    }
}
