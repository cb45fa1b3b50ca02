//! What is acknowledged before it is in the database.

use std::{fs, path::Path};

use rusqlite::Connection;
use vm_model::{Execution, SessionId, SessionStatus};
use vm_store::{Effect, Store, StoreError};

use crate::support::{Fixture, GUEST, change, detail, one_plus_one, session};

/// The files as they are now: the log first, because it goes from there into the database.
fn copy(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["test.db-redo", "test.db-wal", "test.db"] {
        fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

/// What a daemon that is killed at this moment leaves.
fn killed(fixture: &Fixture) -> tempfile::TempDir {
    copy(fixture.folder.path())
}

fn open(folder: &Path) -> Store {
    Store::open(&folder.join("test.db")).unwrap()
}

fn executions(store: &Store, id: SessionId) -> usize {
    store.executions(id, u32::MAX).unwrap().len()
}

fn changes(store: &Store, id: SessionId) -> Vec<Vec<u8>> {
    store.stored_session(id).unwrap().unwrap().state.unwrap().changes
}

#[test]
fn what_was_acknowledged_is_there_whenever_the_daemon_is_killed() {
    let fixture = Fixture::new();
    let other = fixture.ready(None).id;
    let mut sessions = Vec::new();
    for round in 0..30_u8 {
        let new = vm_model::Session { status: SessionStatus::Ready, ..session() };
        let startup = [one_plus_one(new.id)];
        let insert = |effect| fixture.store.insert_started_session(&new, &detail("t"), &GUEST, None, &startup, effect);
        insert(Effect::Unchanged).unwrap();
        sessions.push(new.id);
        for &id in &sessions {
            fixture.store.insert_execution(&one_plus_one(id), Effect::Saved(&change(&[round]))).unwrap();
        }
        // What does not go through the log comes after what is in it.
        fixture.store.save_state(other, &change(&[round])).unwrap();
        fixture.store.insert_execution(&one_plus_one(other), Effect::Saved(&change(&[round]))).unwrap();
        fixture.store.insert_execution(&one_plus_one(other), Effect::Unsaved).unwrap();

        let folder = killed(&fixture);
        // The second one finds what the first one has made of it.
        for _ in 0..2 {
            let store = open(folder.path());
            for (age, &id) in sessions.iter().enumerate() {
                assert_eq!(executions(&store, id), 2 + usize::from(round) - age);
                assert_eq!(changes(&store, id), (age as u8..=round).map(|round| [round]).collect::<Vec<_>>());
            }
            assert_eq!(changes(&store, other).len(), 2 * (usize::from(round) + 1));
            assert!(store.stored_session(other).unwrap().unwrap().state.unwrap().is_stale);
            assert!(folder.path().join("test.db-redo").exists());
        }
        assert!(!folder.path().join("test.db-redo").exists(), "an orderly end leaves none");
    }
}

/// Two sessions, and what was answered in them in turn, when they have just left it in the redo log.
fn left_in_the_log(fixture: &Fixture) -> ([SessionId; 2], Vec<Execution>, tempfile::TempDir) {
    let sessions = [fixture.ready(None).id, fixture.ready(None).id];
    // So that nothing is applied meanwhile.
    let raw = fixture.raw();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let stored: Vec<Execution> = (0..5).map(|i| one_plus_one(sessions[i % 2])).collect();
    for execution in &stored {
        fixture.store.insert_execution(execution, Effect::Saved(&change(b"old"))).unwrap();
    }
    (sessions, stored, killed(fixture))
}

/// Changes the log.
fn rewrite(folder: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let log = folder.join("test.db-redo");
    let mut bytes = fs::read(&log).unwrap();
    change(&mut bytes);
    fs::write(&log, bytes).unwrap();
}

#[test]
fn what_was_not_written_to_its_end_is_nothing_and_the_log_goes_on() {
    let fixture = Fixture::new();
    let (sessions, stored, killed) = left_in_the_log(&fixture);
    let length = fs::read(killed.path().join("test.db-redo")).unwrap().len();
    for end in (0..length).step_by(7) {
        let folder = copy(killed.path());
        rewrite(folder.path(), |log| log.truncate(end));
        let store = open(folder.path());
        let left: usize = sessions.iter().map(|&id| executions(&store, id)).sum();
        assert!(left < stored.len());
        for (i, execution) in stored.iter().enumerate() {
            assert_eq!(store.execution(execution.id).unwrap().is_some(), i < left);
        }
        let changes: usize = sessions.iter().map(|&id| changes(&store, id).len()).sum();
        assert_eq!(changes, left);
        for &id in &sessions {
            store.insert_execution(&one_plus_one(id), Effect::Unchanged).unwrap();
        }
        // as if the machine had stopped
        let folder = copy(folder.path());
        drop(store);
        let store = open(folder.path());
        assert_eq!(sessions.iter().map(|&id| executions(&store, id)).sum::<usize>(), left + 2);
    }
}

#[test]
fn a_damaged_entry_crashes_its_session_and_no_other() {
    let fixture = Fixture::new();
    let (sessions, stored, killed) = left_in_the_log(&fixture);
    let length = fs::read(killed.path().join("test.db-redo")).unwrap().len();
    let (mut crashed, mut unhurt) = (0, 0);
    for at in (0..length).step_by(7) {
        let folder = copy(killed.path());
        rewrite(folder.path(), |log| log[at] ^= 1);
        let store = open(folder.path());
        let lost = |session: &SessionId| {
            let mut all = stored.iter().filter(|execution| execution.session_id == *session);
            all.any(|execution| store.execution(execution.id).unwrap().is_none())
        };
        for &id in &sessions {
            let (session, is_hurt) = (store.session(id).unwrap().unwrap(), lost(&id));
            assert_eq!(session.status == SessionStatus::Crashed, is_hurt);
            assert_eq!(
                session.last_error.is_some_and(|why| why.contains("damaged on the disk, in the redo log")),
                is_hurt
            );
            let insert = store.insert_execution(&one_plus_one(id), Effect::Saved(&change(b"new")));
            assert_eq!(matches!(insert, Err(StoreError::SessionCrashed(session)) if session == id), is_hurt);
            assert_eq!(insert.is_ok(), !is_hurt);
            // Each of them whole, without a gap.
            assert_eq!(changes(&store, id).len(), executions(&store, id));
        }
        match sessions.iter().filter(|session| lost(session)).count() {
            0 => unhurt += 1,
            1 => crashed += 1,
            more => panic!("{more} crashed by the damage at {at}"),
        }
        // What was behind the damage does not come back.
        let before: Vec<_> = sessions.iter().map(|&id| executions(&store, id)).collect();
        let again = copy(folder.path());
        assert_eq!(sessions.map(|id| executions(&open(again.path()), id)).to_vec(), before);
    }
    assert!(
        crashed > 3 * unhurt && unhurt > 0,
        "{crashed} crashed, {unhurt} unhurt: only each second head may be damaged"
    );
}

#[test]
fn the_log_of_another_version_is_not_thrown_away() {
    let fixture = Fixture::new();
    let (_, _, killed) = left_in_the_log(&fixture);
    let of_version_1 = |log: &mut Vec<u8>| {
        for at in 0..log.len() - 4 {
            if log[at..at + 4] == *b"VMR2" {
                log[at + 3] = b'1';
            }
        }
    };
    let damaged = copy(killed.path());
    rewrite(damaged.path(), |log| log[3] = b'1');
    drop(open(damaged.path()));
    rewrite(killed.path(), of_version_1);
    let refused = Store::open(&killed.path().join("test.db")).err().unwrap().to_string();
    assert!(
        refused.contains("test.db-redo: another version of vm-system that was killed has left it; start"),
        "{refused}"
    );
    rewrite(killed.path(), |log| assert_eq!(log[..4], *b"VMR1"));
}

#[test]
fn the_log_of_another_database_is_nothing_to_this_one() {
    let (one, other) = (Fixture::new(), Fixture::new());
    let id = one.ready(None).id;
    one.store.insert_execution(&one_plus_one(id), Effect::Unchanged).unwrap();
    let folder = killed(&other);
    fs::copy(one.folder.path().join("test.db-redo"), folder.path().join("test.db-redo")).unwrap();
    let store = open(folder.path());
    let new = vm_model::Session { status: SessionStatus::Ready, ..session() };
    store.insert_started_session(&new, &detail("t"), &GUEST, None, &[], Effect::Unchanged).unwrap();
    assert_eq!(executions(&store, id), 0);
    assert_eq!(store.session(new.id).unwrap(), Some(new));
}

#[test]
fn a_log_that_somebody_deletes_is_made_again() {
    let fixture = Fixture::new();
    let id = fixture.ready(None).id;
    for done in 1..=3 {
        fixture.store.insert_execution(&one_plus_one(id), Effect::Unchanged).unwrap();
        fs::remove_file(fixture.folder.path().join("test.db-redo")).unwrap();
        fixture.store.insert_execution(&one_plus_one(id), Effect::Unchanged).unwrap();
        let folder = killed(&fixture);
        assert_eq!(executions(&open(folder.path()), id), 2 * done);
    }
}

#[test]
fn a_log_under_load_does_not_grow_for_ever() {
    let fixture = Fixture::new();
    let id = fixture.ready(None).id;
    let large = change(&[7; 60_000]);
    for _ in 0..400 {
        fixture.store.insert_execution(&one_plus_one(id), Effect::Saved(&large)).unwrap();
    }
    let length = fs::metadata(fixture.folder.path().join("test.db-redo")).unwrap().len();
    assert!(length < 10 << 20, "{length}");
    assert_eq!(changes(&fixture.store, id).len(), 400);
}

#[test]
fn what_an_entry_needs_must_be_there() {
    let fixture = Fixture::new();
    let image = fixture.image(b"x");
    fixture.store.gc(&vm_store::Retention::default()).unwrap();
    let new = vm_model::Session { status: SessionStatus::Ready, ..session() };
    let insert =
        |image| fixture.store.insert_started_session(&new, &detail("t"), &GUEST, Some(image), &[], Effect::Unchanged);
    insert(image).unwrap();
    let raw = fixture.raw();
    assert_eq!(fixture.store.session(new.id).unwrap().as_ref(), Some(&new));
    raw.execute_batch("DELETE FROM sessions; DELETE FROM images").unwrap();
    let retention = vm_store::Retention { max_age: Some(std::time::Duration::ZERO), max_bytes: None };
    fixture.store.gc(&retention).unwrap();
    assert!(matches!(insert(image), Err(StoreError::ImageNotFound(missing)) if missing == image));
    let refused = fixture.store.insert_execution(&one_plus_one(new.id), Effect::Unchanged);
    assert!(matches!(refused, Err(StoreError::SessionNotFound(missing)) if missing == new.id));
}

#[test]
fn one_that_the_database_does_not_take_keeps_no_other_from_it_and_is_told() {
    let fixture = Fixture::new();
    let (id, damaged) = (fixture.ready(None).id, fixture.ready(None).id);
    let insert = |id| fixture.store.insert_execution(&one_plus_one(id), Effect::Saved(&change(b"x")));
    insert(damaged).unwrap();
    assert_eq!(executions(&fixture.store, damaged), 1);
    fixture.raw().execute("UPDATE sessions SET status = 'damaged' WHERE id = ?1", [damaged.as_bytes()]).unwrap();
    for id in [id, damaged, id] {
        insert(id).unwrap();
    }
    assert_eq!(executions(&fixture.store, id), 2);
    assert_eq!(executions(&fixture.store, damaged), 1);
    assert!(matches!(insert(damaged), Err(StoreError::SessionCrashed(session)) if session == damaged));
    let session = fixture.store.session(damaged).unwrap().unwrap();
    assert_eq!(session.status, SessionStatus::Crashed);
    let why = session.last_error.unwrap();
    assert!(
        why.starts_with("cannot store what was answered: the database is damaged, sessions.status cannot"),
        "{why}"
    );
}

#[test]
fn one_whose_session_cannot_even_be_crashed_keeps_no_other_from_the_database() {
    let fixture = Fixture::new();
    let (id, damaged) = (fixture.ready(None).id, fixture.ready(None).id);
    let insert = |id| fixture.store.insert_execution(&one_plus_one(id), Effect::Saved(&change(b"x"))).unwrap();
    insert(damaged);
    assert_eq!(executions(&fixture.store, damaged), 1);
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE OF status ON sessions BEGIN SELECT RAISE(ABORT, 'no'); END";
    let raw = fixture.raw();
    raw.execute("UPDATE sessions SET status = 'damaged' WHERE id = ?1", [damaged.as_bytes()]).unwrap();
    raw.execute_batch(refuse).unwrap();
    for id in [id, damaged, id] {
        insert(id);
    }
    assert_eq!(executions(&fixture.store, id), 2);
    assert_eq!(executions(&fixture.store, damaged), 1);
}

#[test]
fn another_program_sees_it_a_moment_later() {
    let fixture = Fixture::new();
    let id = fixture.ready(None).id;
    fixture.store.insert_execution(&one_plus_one(id), Effect::Unchanged).unwrap();
    let raw: Connection = fixture.raw();
    let count = || raw.query_row("SELECT count(*) FROM executions", [], |row| row.get::<_, i64>(0)).unwrap();
    while count() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
