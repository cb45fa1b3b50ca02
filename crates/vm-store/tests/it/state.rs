use std::{fs, time::Duration};

use proptest::prelude::*;
use vm_model::{Session, SessionId, SessionStatus};
use vm_store::{Change, Effect, NewImage, Retention, State, Store, StoreError, StoredSession};

use crate::support::{Fixture, GUEST, change, detail, one_plus_one, session};

fn state(fixture: &Fixture, id: SessionId) -> State {
    fixture.store.stored_session(id).unwrap().unwrap().state.unwrap()
}

#[test]
fn a_new_session_is_as_its_image() {
    let fixture = Fixture::new();
    let image = fixture.image(b"x");
    let expected = State { guest: GUEST, image: Some(image), changes: vec![], host: None, is_stale: false };
    assert_eq!(state(&fixture, fixture.ready(Some(image)).id), expected);
    assert_eq!(state(&fixture, fixture.ready(None).id), State { image: None, ..expected });
    assert_eq!(fixture.store.stored_session(session().id).unwrap(), None);
}

#[test]
fn changes_add_up_and_a_whole_one_takes_their_place() {
    let fixture = Fixture::new();
    let (id, other) = (fixture.ready(None).id, fixture.ready(None).id);
    let save = |change: Change| fixture.store.save_state(id, &change).unwrap();
    fixture.store.save_state(other, &change(b"other")).unwrap();
    save(change(b"one"));
    save(Change { host: Some(b"h1".to_vec()), ..change(b"two") });
    save(change(b""));
    let three = State {
        guest: GUEST,
        image: None,
        changes: vec![b"one".to_vec(), b"two".to_vec(), vec![]],
        host: Some(b"h1".to_vec()),
        is_stale: false,
    };
    assert_eq!(state(&fixture, id), three);
    assert_eq!(fixture.store.state_bytes(id).unwrap(), 8);

    save(Change { is_whole: true, ..change(b"all") });
    assert_eq!(state(&fixture, id), State { changes: vec![b"all".to_vec()], ..three.clone() });
    save(Change { host: Some(vec![]), ..change(b"more") });
    let expected = State { changes: vec![b"all".to_vec(), b"more".to_vec()], host: Some(vec![]), ..three };
    assert_eq!(state(&fixture, id), expected);
    assert_eq!(state(&fixture, other).changes, [b"other"]);
    assert_eq!(fixture.store.state_bytes(id).unwrap(), 7);
    assert_eq!(fixture.store.stored_bytes().unwrap().states, 7 + 5);
    assert_eq!(fixture.store.state_bytes(session().id).unwrap(), 0);

    let nobody = session().id;
    let error = fixture.store.save_state(nobody, &change(b"")).unwrap_err();
    assert!(matches!(error, StoreError::SessionNotFound(id) if id == nobody), "{error:?}");
}

#[test]
fn an_execution_and_its_effect_are_stored_as_a_whole_or_not_at_all() {
    let fixture = Fixture::new();
    let id = fixture.ready(None).id;
    let memory = change(b"m");
    for effect in [Effect::Saved(&memory), Effect::Unchanged, Effect::Flushed(Some(&memory)), Effect::Flushed(None)] {
        fixture.store.insert_execution(&one_plus_one(id), effect).unwrap();
    }
    assert_eq!(state(&fixture, id).changes, [b"m", b"m"]);

    let mut broken = one_plus_one(id);
    broken.events.as_mut().unwrap()[1].seq = 0;
    assert!(fixture.store.insert_execution(&broken, Effect::Flushed(Some(&memory))).is_err());
    assert_eq!(state(&fixture, id).changes.len(), 2);
    assert_eq!(fixture.store.executions(id, 9).unwrap().len(), 4);

    fixture
        .raw()
        .execute_batch("CREATE TRIGGER t BEFORE INSERT ON session_changes BEGIN SELECT raise(FAIL, 'x'); END")
        .unwrap();
    let refused = one_plus_one(id);
    assert!(fixture.store.insert_execution(&refused, Effect::Flushed(Some(&memory))).is_err());
    assert!(fixture.store.execution(refused.id).unwrap().is_none());
}

#[test]
fn a_start_is_stored_with_its_effect() {
    let fixture = Fixture::new();
    let memory = Change { is_whole: true, ..change(b"started") };
    let ready = Session { status: SessionStatus::Ready, ..fixture.session() };
    fixture.store.finish_start(&ready, &[one_plus_one(ready.id)], Effect::Saved(&memory)).unwrap();

    let stamped = Session { id: SessionId::new(), ..ready.clone() };
    let (startup, image) = ([one_plus_one(stamped.id)], fixture.image(b"x"));
    let insert =
        |effect| fixture.store.insert_started_session(&stamped, &detail("t"), &GUEST, Some(image), &startup, effect);
    insert(Effect::Flushed(Some(&memory))).unwrap();
    assert_eq!(fixture.store.session(stamped.id).unwrap(), Some(stamped.clone()));
    for id in [ready.id, stamped.id] {
        assert_eq!(state(&fixture, id).changes, [b"started"]);
        assert_eq!(fixture.store.executions(id, 9).unwrap().len(), 1);
    }
    assert_eq!(state(&fixture, stamped.id).image, Some(image));
    assert!(insert(Effect::Flushed(None)).is_err(), "the id is taken");
}

#[test]
fn a_closed_session_gives_its_state_back_and_gets_none() {
    let fixture = Fixture::new();
    let image = fixture.image(b"x");
    let open = fixture.ready(Some(image));
    let memory = Change { host: Some(b"h".to_vec()), ..change(b"m") };
    fixture.store.save_state(open.id, &memory).unwrap();
    let crashed = Session { status: SessionStatus::Crashed, last_error: Some("why".into()), ..open.clone() };
    fixture.store.update_session(&crashed).unwrap();
    assert_eq!(state(&fixture, open.id).changes, [b"m"]);

    let closed = Session { status: SessionStatus::Closed, ..open };
    fixture.store.update_session(&closed).unwrap();
    fixture.store.insert_execution(&one_plus_one(closed.id), Effect::Saved(&memory)).unwrap();
    assert_eq!(fixture.store.stored_session(closed.id).unwrap().unwrap().state, None);
    assert_eq!(fixture.store.state_bytes(closed.id).unwrap(), 0);
    assert_eq!(fixture.store.stored_bytes().unwrap().states, 0);
    assert_eq!(fixture.store.executions(closed.id, 9).unwrap().len(), 1);
    fixture.store.update_session(&crashed).unwrap();
    assert_eq!(fixture.store.session(closed.id).unwrap(), Some(closed), "it stays closed");
}

#[test]
fn a_fork_has_the_state_of_its_parent_and_then_its_own() {
    let fixture = Fixture::new();
    let image = fixture.image(b"x");
    let parent = fixture.ready(Some(image));
    fixture.store.save_state(parent.id, &change(b"one")).unwrap();
    fixture.store.save_state(parent.id, &Change { host: Some(b"h".to_vec()), ..change(b"two") }).unwrap();
    let child = Session { id: SessionId::new(), parent_session_id: Some(parent.id), ..parent.clone() };
    assert!(fixture.store.fork_session(parent.id, &child, false).unwrap());
    assert_eq!(fixture.store.session(child.id).unwrap(), Some(child.clone()));
    assert_eq!(fixture.store.session(parent.id).unwrap(), Some(parent.clone()));
    assert_eq!(fixture.store.session_template(child.id).unwrap(), fixture.store.session_template(parent.id).unwrap());
    assert_eq!(state(&fixture, child.id), state(&fixture, parent.id));

    fixture.store.save_state(child.id, &change(b"child")).unwrap();
    fixture.store.save_state(parent.id, &Change { is_whole: true, ..change(b"parent") }).unwrap();
    assert_eq!(state(&fixture, child.id).changes, [&b"one"[..], b"two", b"child"]);
    assert_eq!(state(&fixture, parent.id).changes, [b"parent"]);

    let (stale, starting) = (fixture.ready(None).id, fixture.session().id);
    fixture.store.insert_execution(&one_plus_one(stale), Effect::Unsaved).unwrap();
    for parent in [session().id, stale, starting] {
        let orphan = Session { id: SessionId::new(), ..child.clone() };
        assert!(!fixture.store.fork_session(parent, &orphan, true).unwrap());
        assert_eq!(fixture.store.session(orphan.id).unwrap(), None);
    }
}

#[test]
fn damaged_state_is_named_and_hurts_no_other_session() {
    for (damage, named) in [
        ("DELETE FROM session_changes WHERE seq = 1", "session_changes.seq is 2 where 1 is due"),
        ("DELETE FROM session_changes WHERE seq = 2", "session_changes.seq is 3 where 2 is due"),
        ("DELETE FROM session_changes WHERE seq = 3", "session_changes.seq has 2 of 3 changes"),
        ("DELETE FROM session_changes", "session_changes.seq has 0 of 3 changes"),
        ("UPDATE session_changes SET seq = 5 WHERE seq = 3", "session_changes.seq is 5 where 3 is due"),
        ("UPDATE session_changes SET seq = 2 WHERE seq = 3", "session_changes.seq is 2 where 3 is due"),
        ("UPDATE session_changes SET seq = 3 - seq WHERE seq < 3", "session_changes.memory does not match"),
        ("UPDATE session_changes SET memory = zeroblob(7) WHERE seq = 2", "session_changes.memory does not match"),
        ("UPDATE session_changes SET memory = (SELECT memory FROM session_changes LIMIT 1)", "session_changes.memory"),
        ("UPDATE session_changes SET checksum = -1", "session_changes.checksum cannot be read"),
        ("UPDATE session_hosts SET host = x''", "session_hosts.host does not match its checksum"),
        ("DELETE FROM session_hosts", "session_hosts.host is missing"),
        ("UPDATE sessions SET guest = x'07' WHERE n = 1", "sessions.guest cannot be read"),
    ] {
        let fixture = Fixture::new();
        let (id, other) = (fixture.ready(None).id, fixture.ready(None).id);
        for memory in [b"first  ", b"second ", b"third  "] {
            fixture.store.save_state(id, &Change { host: Some(memory.to_vec()), ..change(memory) }).unwrap();
        }
        fixture.raw().execute(damage, []).unwrap();
        let error = fixture.store.stored_session(id).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{damage}: {error:?}");
        assert!(error.to_string().contains(named), "{damage}: {error}");
        assert_eq!(state(&fixture, other).changes, [[0_u8; 0]; 0]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_changes_comes_back_and_any_changed_byte_is_noticed(
        changes in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..9000), any::<bool>()), 1..8),
        victim in any::<prop::sample::Index>(),
        byte in any::<prop::sample::Index>(),
        bit in 0..8_u8,
        truncate in any::<bool>(),
    ) {
        let fixture = Fixture::new();
        let id = fixture.ready(None).id;
        let mut expected: Vec<Vec<u8>> = vec![];
        for (memory, is_whole) in changes {
            fixture.store.save_state(id, &Change { is_whole, ..change(&memory) }).unwrap();
            if is_whole {
                expected.clear();
            }
            expected.push(memory);
        }
        prop_assert_eq!(&state(&fixture, id).changes, &expected);

        let victim = victim.index(expected.len());
        let mut memory = expected.swap_remove(victim);
        let byte = byte.index(memory.len());
        if truncate { memory.truncate(byte) } else { memory[byte] ^= 1 << bit }
        fixture.raw().execute("UPDATE session_changes SET memory = ?1 WHERE seq = ?2", (memory, victim + 1)).unwrap();
        let error = fixture.store.stored_session(id).unwrap_err();
        prop_assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_gives_errors_and_no_other_content(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let Fixture { store, folder } = Fixture::new();
        let path = folder.path().join("test.db");
        let content = vec![5; 9000];
        let new = NewImage { key: [1; 32], guest: GUEST, recipe: b"recipe", content: &content };
        let image = store.insert_image(&new).unwrap();
        let session = Session { status: SessionStatus::Ready, ..session() };
        store.insert_session(&session, &detail("t"), &GUEST, Some(image)).unwrap();
        let memories: Vec<_> = (0..8_u8).map(|i| vec![i; 500 * usize::from(i)]).collect();
        for memory in &memories {
            store.save_state(session.id, &Change { host: Some(memory.clone()), ..change(memory) }).unwrap();
        }
        drop(store);
        let mut file = fs::read(&path).unwrap();
        for (place, byte) in damage {
            let place = place.index(file.len());
            file[place] = byte;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        fs::write(&path, file).unwrap();

        let Ok(store) = Store::open(&path) else { return Ok(()) };
        if let Ok(Some(StoredSession { state: Some(state), .. })) = store.stored_session(session.id) {
            prop_assert!(memories.starts_with(&state.changes), "{state:?}");
            prop_assert!(state.host.is_none_or(|host| host == memories[7]));
        }
        if let Ok(Some(image)) = store.image(image) {
            prop_assert_eq!(image.content, content);
        }
        drop(store.recover(&GUEST));
        drop(store.gc(&Retention { max_age: Some(Duration::ZERO), max_bytes: Some(0) }));
    }
}
