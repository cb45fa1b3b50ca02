use vm_model::{Execution, ExecutionStatus, Session, SessionId, SessionStatus};
use vm_store::{Effect, Recovered, Store};

use crate::support::{Fixture, GUEST, assert_same, change, detail, one_plus_one, session};

fn status(store: &Store, id: SessionId) -> (SessionStatus, String) {
    let session = store.session(id).unwrap().unwrap();
    (session.status, session.last_error.unwrap_or_default())
}

#[test]
fn sessions_with_a_stored_state_stay_ready() {
    let fixture = Fixture::new();
    let sessions = SessionStatus::ALL.map(|status| {
        let session = Session { status, last_error: None, ..session() };
        fixture.store.insert_session(&session, &detail("t"), &GUEST, None).unwrap();
        session
    });
    assert_eq!(fixture.store.recover(&GUEST).unwrap(), Recovered { ready: 1, crashed: 1, cancelled: 0 });
    assert_eq!(fixture.store.recover(&GUEST).unwrap(), Recovered { ready: 1, crashed: 0, cancelled: 0 });
    for before in sessions {
        let after = fixture.store.session(before.id).unwrap().unwrap();
        if before.status == SessionStatus::Starting {
            let reason = "the daemon ended while the session was being created; create a new session";
            assert_eq!((after.status, after.last_error.as_deref()), (SessionStatus::Crashed, Some(reason)));
        } else {
            assert_eq!(after, before);
        }
    }
}

#[test]
fn a_session_whose_last_effect_was_not_stored_is_lost_until_it_is_saved() {
    let fixture = Fixture::new();
    let [stale, saved, flushed, hibernated] = [(); 4].map(|()| fixture.ready(None).id);
    let (first, second) = (change(b"1"), change(b"2"));
    let run = |id, effect: Effect<'_>| fixture.store.insert_execution(&one_plus_one(id), effect).unwrap();
    for id in [stale, saved, flushed, hibernated] {
        run(id, Effect::Saved(&first));
        run(id, Effect::Unsaved);
        run(id, Effect::Unsaved);
        run(id, Effect::Unchanged);
    }
    run(saved, Effect::Saved(&second));
    run(flushed, Effect::Flushed(Some(&second)));
    fixture.store.save_state(hibernated, &second).unwrap();
    let is_stale = |id| fixture.store.stored_session(id).unwrap().unwrap().state.unwrap().is_stale;
    assert_eq!([stale, saved, flushed, hibernated].map(is_stale), [true, false, false, false]);

    assert_eq!(fixture.store.recover(&GUEST).unwrap(), Recovered { ready: 3, crashed: 1, cancelled: 0 });
    assert_eq!(fixture.store.ready_sessions().unwrap(), [saved, flushed, hibernated]);
    let (status, reason) = status(&fixture.store, stale);
    assert_eq!(status, SessionStatus::Crashed);
    assert!(reason.contains("set runtime.durability of its template to \"execution\""), "{reason}");
}

#[test]
fn a_session_of_another_engine_or_an_older_version_says_so() {
    let fixture = Fixture::new();
    let (ours, older) = (fixture.ready(None).id, fixture.ready(None).id);
    fixture.raw().execute("UPDATE sessions SET guest = NULL WHERE n = 2", []).unwrap();
    assert_eq!(fixture.store.recover(&GUEST).unwrap(), Recovered { ready: 1, crashed: 1, cancelled: 0 });
    let (_, reason) = status(&fixture.store, older);
    assert!(reason.contains("did not store the state of sessions; create a new session"), "{reason}");

    assert_eq!(fixture.store.recover(&[8; 32]).unwrap(), Recovered { ready: 0, crashed: 1, cancelled: 0 });
    let (_, reason) = status(&fixture.store, ours);
    assert!(reason.contains("another version of the engine"), "{reason}");
    assert!(fixture.store.stored_session(ours).unwrap().unwrap().state.is_some(), "nothing is deleted");
}

#[test]
fn what_cannot_be_recorded_is_forgotten_and_what_is_recorded_stays() {
    let fixture = Fixture::new();
    let id = fixture.ready(None).id;
    let [recorded, running] = [(); 2].map(|()| one_plus_one(id));
    fixture.store.insert_execution(&recorded, Effect::Unchanged).unwrap();
    fixture.store.begin_execution(&running).unwrap();
    for execution in [&recorded, &running, &one_plus_one(id)] {
        fixture.store.forget_execution(execution.id).unwrap();
    }
    let left: Vec<_> = fixture.store.executions(id, 9).unwrap().iter().map(|execution| execution.id).collect();
    assert_eq!(left, [recorded.id]);
}

#[test]
fn what_was_running_is_cancelled_and_what_ended_is_not() {
    let fixture = Fixture::new();
    let id = fixture.ready(None).id;
    let [ended, running] = [(); 2].map(|()| one_plus_one(id));
    for execution in [&ended, &running] {
        fixture.store.begin_execution(execution).unwrap();
        let begun = fixture.store.execution(execution.id).unwrap().unwrap();
        assert_same(&begun, &Execution { status: ExecutionStatus::Running, events: None, ..execution.clone() });
    }
    fixture.store.insert_execution(&ended, Effect::Flushed(Some(&change(b"1")))).unwrap();
    // as if the daemon had been killed while it stored the events of the other one
    let part = "INSERT INTO event_chunks (execution, last_seq, events) SELECT n, 7, '7 5 console {}' FROM executions WHERE status = 'running'";
    assert_eq!(fixture.raw().execute(part, []).unwrap(), 1);

    assert_eq!(fixture.store.recover(&GUEST).unwrap(), Recovered { ready: 1, crashed: 0, cancelled: 1 });
    assert_eq!(fixture.store.recover(&GUEST).unwrap().cancelled, 0);
    let read = |id| fixture.store.execution(id).unwrap().unwrap();
    assert_same(&read(ended.id), &Execution { events: None, ..ended.clone() });
    assert_same(&fixture.store.events(ended.id, 0).unwrap(), &ended.events);

    let cancelled = read(running.id);
    assert_eq!(cancelled.status, ExecutionStatus::Cancelled);
    assert_eq!(cancelled.error.unwrap().message, "cancelled: the daemon ended while this was running");
    assert!(cancelled.ended_at.unwrap() >= cancelled.started_at);
    let events = fixture.store.events(running.id, 0).unwrap().unwrap();
    assert_eq!(events.len(), 1);
    assert!(events[0].payload.get().contains("the daemon ended while this was running"));
}
