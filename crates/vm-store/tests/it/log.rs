//! The write-ahead log: that it stays short, and that commits are shared without harm.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use vm_store::{Change, Effect};

use crate::support::{Fixture, change, one_plus_one, session};

const MIB: u64 = 1 << 20;

fn log_bytes(fixture: &Fixture) -> u64 {
    fs::metadata(fixture.folder.path().join("test.db-wal")).unwrap().len()
}

/// Writes 256 MiB on four threads; returns how long the log was at most.
fn write_much(fixture: &Fixture) -> u64 {
    let write = || {
        let (id, mut longest) = (fixture.ready(None).id, 0);
        for _ in 0..64 {
            let whole = Change { is_whole: true, ..change(&vec![1; MIB as usize]) };
            fixture.store.insert_execution(&one_plus_one(id), Effect::Saved(&whole)).unwrap();
            longest = longest.max(log_bytes(fixture));
        }
        longest
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(write)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).max().unwrap()
    })
}

#[test]
fn the_log_is_bounded_under_load_and_emptied_at_rest() {
    let fixture = Fixture::new();
    let reading = AtomicBool::new(true);
    let longest = thread::scope(|scope| {
        scope.spawn(|| {
            while reading.load(Ordering::Relaxed) {
                fixture.store.ready_sessions().unwrap();
            }
        });
        let longest = write_much(&fixture);
        reading.store(false, Ordering::Relaxed);
        longest
    });
    assert!(longest < 200 * MIB, "{longest} bytes");
    while log_bytes(&fixture) > 0 {
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_reader_that_stays_stops_neither_writers_nor_later_checkpoints() {
    let fixture = Fixture::new();
    let reader = fixture.raw();
    reader.execute_batch("BEGIN; SELECT count(*) FROM sessions").unwrap();
    assert!(write_much(&fixture) > 200 * MIB, "the reader keeps all of it");
    reader.execute_batch("COMMIT").unwrap();
    while log_bytes(&fixture) > 0 {
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn one_that_fails_in_a_shared_transaction_fails_alone() {
    const EACH: usize = 200;
    let fixture = Fixture::new();
    let (id, nobody) = (fixture.ready(None).id, session().id);
    let work = |is_broken: bool| {
        for _ in 0..EACH {
            let execution = one_plus_one(if is_broken { nobody } else { id });
            let stored = fixture.store.begin_execution(&execution);
            assert_eq!(stored.is_err(), is_broken, "{stored:?}");
            assert_eq!(fixture.store.execution(execution.id).unwrap().is_some(), !is_broken);
        }
    };
    thread::scope(|scope| {
        for i in 0..8 {
            scope.spawn(move || work(i % 2 == 1));
        }
    });
    assert_eq!(fixture.store.executions(id, u32::MAX).unwrap().len(), 4 * EACH);
}

#[test]
fn what_is_flushed_by_many_at_once_is_all_there() {
    let fixture = Fixture::new();
    let id = fixture.ready(None).id;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let change = change(b"x");
                    fixture.store.insert_execution(&one_plus_one(id), Effect::Flushed(Some(&change))).unwrap();
                }
            });
        }
    });
    assert_eq!(fixture.store.stored_session(id).unwrap().unwrap().state.unwrap().changes.len(), 40);
}
