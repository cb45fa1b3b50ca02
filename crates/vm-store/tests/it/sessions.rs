use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

use vm_model::{ExecutionKind, RuntimeMeta, Session, SessionFilter, SessionId, SessionStatus, TemplateId, Timestamp};
use vm_store::{Effect, StoreError};

use crate::support::{Fixture, GUEST, assert_same, detail, one_plus_one, session};

#[test]
fn a_session_comes_back_as_it_was_stored() {
    let fixture = Fixture::new();
    let plain = session();
    let mut full = Session {
        closed_at: Some(Timestamp::from_micros(1)),
        last_error: Some("a\0b".into()),
        runtime_meta: Some(RuntimeMeta { engine: "quickjs-ng".into(), version: "0.11".into() }),
        ..session()
    };
    let template = detail("t");
    fixture.store.insert_session(&plain, &detail("other"), &GUEST, None).unwrap();
    fixture.store.insert_session(&full, &template, &GUEST, None).unwrap();
    assert_eq!(fixture.store.session(plain.id).unwrap(), Some(plain.clone()));
    assert_eq!(fixture.store.session(full.id).unwrap(), Some(full.clone()));
    assert_eq!(fixture.store.session_template(full.id).unwrap(), Some(template));

    full = Session { status: SessionStatus::Closed, closed_at: None, last_error: None, runtime_meta: None, ..full };
    fixture.store.update_session(&full).unwrap();
    assert_eq!(fixture.store.session(full.id).unwrap(), Some(full));
    assert_eq!(fixture.store.session(plain.id).unwrap(), Some(plain));
}

#[test]
fn an_unknown_session_is_no_session() {
    let fixture = Fixture::new();
    let nobody = session();
    assert_eq!(fixture.store.session(nobody.id).unwrap(), None);
    assert_eq!(fixture.store.session_template(nobody.id).unwrap(), None);
    let error = fixture.store.update_session(&nobody).unwrap_err();
    assert!(matches!(error, StoreError::SessionNotFound(id) if id == nobody.id), "{error:?}");
}

#[test]
fn a_session_outlives_its_template() {
    let fixture = Fixture::new();
    let template_id = fixture.template("short-lived");
    let template = fixture.store.template(template_id).unwrap().unwrap();
    let session = Session { template_id, vm_id: template_id, ..session() };
    fixture.store.insert_session(&session, &template, &GUEST, None).unwrap();
    assert!(fixture.store.delete_template(template_id).unwrap());
    assert_eq!(fixture.store.session(session.id).unwrap(), Some(session.clone()));
    assert_eq!(fixture.store.session_template(session.id).unwrap(), Some(template));
}

#[test]
fn sessions_are_listed_newest_first_as_the_filter_says() {
    use SessionStatus::{Closed, Ready};
    let fixture = Fixture::new();
    let (one, two) = (TemplateId::new(), TemplateId::new());
    let ids: Vec<SessionId> = [(one, Ready), (two, Ready), (one, Closed), (one, Ready)]
        .into_iter()
        .map(|(template_id, status)| {
            let session = Session { template_id, vm_id: template_id, status, ..session() };
            fixture.store.insert_session(&session, &detail("t"), &GUEST, None).unwrap();
            session.id
        })
        .collect();
    let list = |status, template_id, limit| {
        let sessions = fixture.store.sessions(&SessionFilter { status, template_id, limit }).unwrap();
        let position = |session: Session| ids.iter().position(|id| *id == session.id).unwrap();
        sessions.into_iter().map(position).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None, None), [3, 2, 1, 0]);
    assert_eq!(list(None, None, Some(2)), [3, 2]);
    assert_eq!(list(None, None, Some(0)), [0; 0]);
    assert_eq!(list(Some(Ready), None, None), [3, 1, 0]);
    assert_eq!(list(None, Some(one), None), [3, 2, 0]);
    assert_eq!(list(Some(Ready), Some(one), None), [3, 0]);
    assert_eq!(list(Some(Ready), Some(one), Some(1)), [3]);
    assert_eq!(list(None, Some(TemplateId::new()), None), [0; 0]);
}

#[test]
fn a_start_is_stored_as_a_whole_or_not_at_all() {
    let fixture = Fixture::new();
    let starting = fixture.session();
    let ready = Session { status: SessionStatus::Ready, ..starting.clone() };
    let mut startup = [one_plus_one(ready.id), one_plus_one(ready.id)];
    for execution in &mut startup {
        execution.kind = ExecutionKind::Startup;
    }
    let mut broken = startup.clone();
    broken[1].events.as_mut().unwrap()[1].seq = 0;
    assert!(fixture.store.finish_start(&ready, &broken, Effect::Unchanged).is_err());
    assert_eq!(fixture.store.session(ready.id).unwrap(), Some(starting));
    assert!(fixture.store.executions(ready.id, 10).unwrap().is_empty());
    assert!(fixture.store.events(startup[0].id, 0).unwrap().is_none());

    fixture.store.finish_start(&ready, &startup, Effect::Unchanged).unwrap();
    assert_eq!(fixture.store.session(ready.id).unwrap(), Some(ready.clone()));
    let listed: Vec<_> = fixture.store.executions(ready.id, 10).unwrap().iter().map(|e| e.id).collect();
    assert_eq!(listed, [startup[1].id, startup[0].id]);
    assert_same(&fixture.store.events(startup[1].id, 0).unwrap(), &startup[1].events);

    let nobody = session();
    let error = fixture.store.finish_start(&nobody, &[], Effect::Unchanged).unwrap_err();
    assert!(matches!(error, StoreError::SessionNotFound(id) if id == nobody.id), "{error:?}");
}

#[test]
fn a_worktree_that_is_no_text_is_refused() {
    let fixture = Fixture::new();
    let session = Session { worktree_path: OsStr::from_bytes(b"/a\xff").into(), ..session() };
    let message = fixture.store.insert_session(&session, &detail("t"), &GUEST, None).unwrap_err().to_string();
    assert!(message.contains("not UTF-8"), "{message}");
    assert_eq!(fixture.store.session(session.id).unwrap(), None);
}

#[test]
fn ready_sessions_are_listed_oldest_first() {
    let fixture = Fixture::new();
    let ids = [SessionStatus::Ready, SessionStatus::Closed, SessionStatus::Ready].map(|status| {
        let session = Session { status, ..session() };
        fixture.store.insert_session(&session, &detail("t"), &GUEST, None).unwrap();
        session.id
    });
    assert_eq!(fixture.store.ready_sessions().unwrap(), [ids[0], ids[2]]);
}

#[test]
fn a_damaged_session_hides_no_other() {
    let fixture = Fixture::new();
    let (damaged, whole) = (fixture.session().id, fixture.session());
    fixture
        .raw()
        .execute("UPDATE sessions SET created_at = 0, status = 'sleepy' WHERE id = ?1", [damaged.as_bytes()])
        .unwrap();
    assert_eq!(fixture.store.sessions(&SessionFilter::default()).unwrap(), [whole]);
    let error = fixture.store.session(damaged).unwrap_err().to_string();
    assert!(error.contains("sessions.status cannot be read (status \"sleepy\" is not one of"), "{error}");
}
