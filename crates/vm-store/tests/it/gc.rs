use std::{fs, thread, time::Duration};

use vm_model::{Collected, EventType, Execution, ExecutionId, Session, SessionId, SessionStatus, Timestamp};
use vm_store::{Change, Effect, NewImage, Retention, Store};

use crate::support::{Fixture, GUEST, change, detail, event, one_plus_one, session};

const HOUR: Duration = Duration::from_secs(3600);

fn hours_ago(hours: i64) -> Timestamp {
    Timestamp::from_micros(Timestamp::now().as_micros() - hours * 3_600_000_000)
}

/// Stored, ended so many hours ago.
fn execution(fixture: &Fixture, session: SessionId, hours: i64) -> ExecutionId {
    let ended_at = Some(hours_ago(hours));
    let execution = Execution { ended_at, ..one_plus_one(session) };
    fixture.store.insert_execution(&execution, Effect::Unchanged).unwrap();
    execution.id
}

fn is_there(fixture: &Fixture, id: ExecutionId) -> bool {
    let is_there = fixture.store.execution(id).unwrap().is_some();
    assert_eq!(fixture.store.events(id, 0).unwrap().is_some(), is_there);
    is_there
}

/// Ends that session so many hours ago.
fn end(fixture: &Fixture, session: &Session, status: SessionStatus, hours: i64) {
    fixture.store.update_session(&Session { status, ..session.clone() }).unwrap();
    let ended = hours_ago(hours).as_micros();
    fixture.raw().execute("UPDATE sessions SET ended_at = ?1 WHERE id = ?2", (ended, session.id.as_bytes())).unwrap();
}

#[test]
fn what_is_too_old_goes_and_what_lives_stays() {
    use SessionStatus::{Closed, Crashed};
    let fixture = Fixture::new();
    let [ready, closed, crashed, young, busy] = [(); 5].map(|()| fixture.ready(None));
    let ids = [&ready, &closed, &crashed].map(|session| execution(&fixture, session.id, 3));
    let running = one_plus_one(ready.id);
    fixture.store.begin_execution(&running).unwrap();
    let kept = [&ready, &busy].map(|session| execution(&fixture, session.id, 1));
    for session in [&ready, &crashed] {
        fixture.store.save_state(session.id, &change(b"state")).unwrap();
    }
    for (session, status, hours) in
        [(&closed, Closed, 3), (&crashed, Crashed, 3), (&young, Closed, 1), (&busy, Closed, 3)]
    {
        end(&fixture, session, status, hours);
    }

    let nothing = Retention::default();
    assert_eq!(fixture.store.gc(&nothing).unwrap(), Collected::default());
    let two_hours = Retention { max_age: Some(2 * HOUR), max_bytes: None };
    let collected = fixture.store.gc(&two_hours).unwrap();
    assert_eq!((collected.sessions, collected.executions), (2, 3));
    let collected = fixture.store.gc(&two_hours).unwrap();
    assert_eq!((collected.sessions, collected.executions), (0, 0));

    assert_eq!(ids.map(|id| is_there(&fixture, id)), [false; 3]);
    assert_eq!(kept.map(|id| is_there(&fixture, id)), [true; 2]);
    assert!(is_there(&fixture, running.id));
    let sessions = [&ready, &closed, &crashed, &young, &busy];
    let left = sessions.map(|session| fixture.store.session(session.id).unwrap().is_some());
    assert_eq!(left, [true, false, false, true, true], "the last one still has an execution");
    assert_eq!(fixture.store.stored_session(ready.id).unwrap().unwrap().state.unwrap().changes, [b"state"]);
    assert_eq!(fixture.store.stored_bytes().unwrap().states, 5);
    let forever = Retention { max_age: Some(Duration::MAX), max_bytes: None };
    assert_eq!(fixture.store.gc(&forever).unwrap(), Collected::default());
}

#[test]
fn the_oldest_executions_make_room_and_the_file_shrinks() {
    let Fixture { store, folder } = &Fixture::new();
    let path = folder.path().join("test.db");
    let session = Session { status: SessionStatus::Ready, ..session() };
    store.insert_session(&session, &detail("t"), &GUEST, None).unwrap();
    let ids: Vec<_> = (0..40)
        .map(|_| {
            let mut execution = one_plus_one(session.id);
            execution.input = Some("x".repeat(100_000));
            store.insert_execution(&execution, Effect::Saved(&change(b"state"))).unwrap();
            execution.id
        })
        .collect();
    store.gc(&Retention::default()).unwrap();
    let before = fs::metadata(&path).unwrap().len();
    assert_eq!(fs::metadata(folder.path().join("test.db-wal")).unwrap().len(), 0);

    let max_bytes = before - 2_000_000;
    let small = Retention { max_age: None, max_bytes: Some(max_bytes) };
    let collected = store.gc(&small).unwrap();
    let after = fs::metadata(&path).unwrap().len();
    assert!(after <= max_bytes, "{after} bytes");
    assert_eq!(collected.bytes, before - after);
    let left = store.executions(session.id, 99).unwrap();
    assert!(!left.is_empty() || collected.executions == 40);
    assert_eq!(left.len() as u64 + collected.executions, 40);
    assert!(left.iter().rev().map(|execution| execution.id).eq(ids[40 - left.len()..].iter().copied()));

    let none = Retention { max_age: None, max_bytes: Some(0) };
    assert_eq!(store.gc(&none).unwrap().executions, left.len() as u64);
    assert_eq!(store.stored_session(session.id).unwrap().unwrap().state.unwrap().changes.len(), 40);
}

#[test]
fn in_a_file_that_says_that_more_is_free_than_there_is_nothing_is_deleted() {
    let Fixture { store, folder } = Fixture::new();
    let path = folder.path().join("test.db");
    let session = Session { status: SessionStatus::Ready, ..session() };
    store.insert_session(&session, &detail("t"), &GUEST, None).unwrap();
    store.insert_execution(&one_plus_one(session.id), Effect::Unchanged).unwrap();
    drop(store);
    let mut file = fs::read(&path).unwrap();
    // the count of free pages in the header of a SQLite file
    file[36..40].copy_from_slice(&i32::MAX.to_be_bytes());
    fs::write(&path, file).unwrap();
    let store = Store::open(&path).unwrap();
    drop(store.gc(&Retention { max_age: None, max_bytes: Some(1) }));
    assert_eq!(store.executions(session.id, 9).unwrap().len(), 1);
}

#[test]
fn an_execution_of_many_events_goes_as_a_whole() {
    let fixture = Fixture::new();
    let session = fixture.ready(None);
    let mut long = one_plus_one(session.id);
    long.ended_at = Some(hours_ago(9));
    let payload = format!("\"{}\"", "x".repeat(3000));
    long.events = Some((1..=1700).map(|seq| event(long.id, seq, EventType::Console, &payload)).collect());
    fixture.store.insert_execution(&long, Effect::Unchanged).unwrap();
    let others = [(); 600].map(|()| execution(&fixture, session.id, 9));
    let kept = execution(&fixture, session.id, 0);
    let collected = fixture.store.gc(&Retention { max_age: Some(HOUR), max_bytes: None }).unwrap();
    assert_eq!(collected.executions, 601);
    assert!(!is_there(&fixture, long.id) && !is_there(&fixture, others[599]) && is_there(&fixture, kept));
    let chunks: i64 = fixture.raw().query_row("SELECT count(*) FROM event_chunks", [], |row| row.get(0)).unwrap();
    assert_eq!(chunks, 1);
}

#[test]
fn images_stay_while_they_are_used_and_the_newest_after_that() {
    let fixture = Fixture::new();
    let ids: Vec<_> = (0..70_u8).map(|i| fixture.image(&[i])).collect();
    let used = fixture.ready(Some(ids[0]));
    let crashed = fixture.ready(Some(ids[1]));
    fixture.store.update_session(&Session { status: SessionStatus::Crashed, ..crashed }).unwrap();
    let closed = fixture.ready(Some(ids[2]));
    fixture.store.update_session(&Session { status: SessionStatus::Closed, ..closed }).unwrap();
    assert_eq!(fixture.store.gc(&Retention::default()).unwrap().images, 4);
    let left: Vec<_> = ids.iter().map(|id| fixture.store.image(*id).unwrap().is_some()).collect();
    assert_eq!(left[..7], [true, true, false, false, false, false, true]);
    assert!(left[6..].iter().all(|is_there| *is_there));

    // Those that were used last, and not more than 256 MiB of them.
    let day_ago = hours_ago(24).as_micros();
    fixture.raw().execute("UPDATE images SET used_at = ?1, bytes = 128 << 20", [day_ago]).unwrap();
    fixture.store.update_session(&Session { status: SessionStatus::Closed, ..used }).unwrap();
    let again = fixture.ready(Some(ids[10]));
    fixture.store.update_session(&Session { status: SessionStatus::Closed, ..again }).unwrap();
    fixture.store.gc(&Retention::default()).unwrap();
    let left: Vec<_> = (0..70).filter(|i| fixture.store.image(ids[*i]).unwrap().is_some()).collect();
    assert_eq!(left, [1, 10, 69]);
}

#[test]
fn others_write_while_old_ones_are_deleted() {
    let fixture = Fixture::new();
    let session = fixture.ready(None);
    for _ in 0..3000 {
        execution(&fixture, session.id, 9);
    }
    let new = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let whole = Change { is_whole: true, ..change(&[1; 4096]) };
            (0..300)
                .map(|_| {
                    let execution = one_plus_one(session.id);
                    fixture.store.insert_execution(&execution, Effect::Saved(&whole)).unwrap();
                    execution.id
                })
                .collect::<Vec<_>>()
        });
        let collected = fixture.store.gc(&Retention { max_age: Some(HOUR), max_bytes: None }).unwrap();
        assert_eq!(collected.executions, 3000);
        writer.join().unwrap()
    });
    assert!(new.iter().all(|id| is_there(&fixture, *id)));
    assert_eq!(fixture.store.executions(session.id, u32::MAX).unwrap().len(), 300);
    let image =
        fixture.store.insert_image(&NewImage { key: [0; 32], guest: GUEST, recipe: b"", content: b"" }).unwrap();
    assert!(fixture.store.image(image).unwrap().is_some());
    let check: String = fixture.raw().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}
