use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use vm_store::{Effect, Store};

use crate::support::{Fixture, one_plus_one};

const THREADS: usize = 4;
const EACH: usize = 250;

/// Checks that what is there is there as a whole; returns how many executions these are.
fn read_everything(store: &Store, session: &vm_model::Session) -> usize {
    let executions = store.executions(session.id, u32::MAX).unwrap();
    for execution in executions.iter().take(20) {
        assert_eq!(store.events(execution.id, 0).unwrap().unwrap().len(), 2);
    }
    executions.len()
}

#[test]
fn four_threads_write_while_four_read() {
    let fixture = Fixture::new();
    let (store, session) = (&fixture.store, fixture.session());
    let writing = AtomicUsize::new(THREADS);
    let (writing, session) = (&writing, &session);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(move || {
                for _ in 0..EACH {
                    store.insert_execution(&one_plus_one(session.id), Effect::Unchanged).unwrap();
                    store.update_session(session).unwrap();
                }
                writing.fetch_sub(1, Ordering::Relaxed);
            });
            scope.spawn(move || {
                let mut seen = 0;
                while writing.load(Ordering::Relaxed) > 0 {
                    let now = read_everything(store, session);
                    assert!(now >= seen, "history went backwards");
                    seen = now;
                }
            });
        }
    });
    assert_eq!(read_everything(store, session), THREADS * EACH);
}
