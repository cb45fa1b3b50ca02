//! What is acknowledged before it is in the database.

use std::{fs, path::Path};

use rusqlite::Connection;
use vm_model::{Execution, SessionId, SessionStatus};
use vm_store::{Effect, Store, StoreError};

use crate::support::{Fixture, GUEST, change, detail, one_plus_one, session};

/// What a daemon that is killed at this moment leaves: the log first, because it goes from there into the database.
fn killed(fixture: &Fixture) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["test.db-redo", "test.db-wal", "test.db"] {
        fs::copy(fixture.folder.path().join(name), folder.path().join(name)).unwrap();
    }
    folder
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

#[test]
fn an_entry_that_is_not_whole_is_the_end_and_the_log_goes_on() {
    let fixture = Fixture::new();
    let id = fixture.ready(None).id;
    let stored: Vec<Execution> = (0..5).map(|_| one_plus_one(id)).collect();
    for execution in &stored {
        fixture.store.insert_execution(execution, Effect::Saved(&change(b"x"))).unwrap();
    }
    let length = fs::read(fixture.folder.path().join("test.db-redo")).unwrap().len();
    for at in (0..length).step_by(7) {
        let folder = killed(&fixture);
        let log = folder.path().join("test.db-redo");
        let mut bytes = fs::read(&log).unwrap();
        bytes[at] ^= 1;
        fs::write(&log, bytes).unwrap();
        let store = open(folder.path());
        // Each of them whole, without a gap; all of them if they were in the database by then.
        let left = executions(&store, id);
        for (i, execution) in stored.iter().enumerate() {
            assert_eq!(store.execution(execution.id).unwrap().is_some(), i < left);
        }
        assert_eq!(changes(&store, id).len(), left);
        store.insert_execution(&one_plus_one(id), Effect::Unchanged).unwrap();
        drop(store);
        assert_eq!(executions(&open(folder.path()), id), left + 1);
    }
}

#[test]
fn what_is_behind_the_damage_never_comes_back() {
    let fixture = Fixture::new();
    let id = fixture.ready(None).id;
    let stored: Vec<Execution> = (0..3).map(|_| one_plus_one(id)).collect();
    for execution in &stored {
        fixture.store.insert_execution(execution, Effect::Saved(&change(b"old"))).unwrap();
    }
    let killed = killed(&fixture);
    let log = killed.path().join("test.db-redo");
    let mut bytes = fs::read(&log).unwrap();
    bytes[60] ^= 1;
    fs::write(&log, bytes).unwrap();
    let store = open(killed.path());
    let before = executions(&store, id);
    // As long as the one that is damaged, and of its number: those behind it would be next.
    store.insert_execution(&one_plus_one(id), Effect::Saved(&change(b"new"))).unwrap();
    let again = tempfile::tempdir().unwrap();
    for name in ["test.db-redo", "test.db-wal", "test.db"] {
        fs::copy(killed.path().join(name), again.path().join(name)).unwrap();
    }
    assert_eq!(executions(&open(again.path()), id), before + 1);
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
fn one_that_the_database_does_not_take_keeps_no_other_from_it() {
    let fixture = Fixture::new();
    let (id, damaged) = (fixture.ready(None).id, fixture.ready(None).id);
    fixture.raw().execute("UPDATE sessions SET status = 'damaged' WHERE id = ?1", [damaged.as_bytes()]).unwrap();
    for id in [id, damaged, id] {
        fixture.store.insert_execution(&one_plus_one(id), Effect::Saved(&change(b"x"))).unwrap();
    }
    assert_eq!(executions(&fixture.store, id), 2);
    assert_eq!(executions(&fixture.store, damaged), 0);
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
