use std::fs;

use proptest::prelude::*;
use vm_model::{EventType, ExceptionPayload, Execution, ExecutionId, ExecutionKind, ExecutionStatus, Metrics};
use vm_store::{Effect, Store, StoreError};

use crate::support::{Fixture, GUEST, assert_same, event, one_plus_one, session};

#[test]
fn an_execution_comes_back_as_it_was_stored() {
    let fixture = Fixture::new();
    let session = fixture.session();
    let repl = one_plus_one(session.id);
    let file = Execution {
        kind: ExecutionKind::RunFile,
        input: None,
        path: Some("src/a b.js".into()),
        args: vec!["--x".into(), String::new()],
        env: [("K".into(), "v=\"1\"".into())].into(),
        status: ExecutionStatus::Timeout,
        result: None,
        error: Some(ExceptionPayload { message: "Error: x".into(), stack: Some("at <eval>:1\n".into()) }),
        metrics: Metrics { rolled_back: true, ..Metrics::default() },
        ended_at: None,
        events: None,
        ..one_plus_one(session.id)
    };
    for execution in [&repl, &file] {
        fixture.store.insert_execution(execution, Effect::Unchanged).unwrap();
        let read = fixture.store.execution(execution.id).unwrap().unwrap();
        assert_same(&read, &Execution { events: None, ..execution.clone() });
    }
    assert_same(&fixture.store.events(repl.id, 0).unwrap(), &repl.events);
    assert_same(&fixture.store.events(file.id, 0).unwrap(), &Some(vec![]));
    assert!(fixture.store.execution(ExecutionId::new()).unwrap().is_none());
}

#[test]
fn executions_of_a_session_are_listed_newest_first() {
    let fixture = Fixture::new();
    let (ours, other) = (fixture.session(), fixture.session());
    let ids: Vec<_> = (0..6)
        .map(|i| {
            let execution = one_plus_one(if i % 2 == 0 { ours.id } else { other.id });
            fixture.store.insert_execution(&execution, Effect::Unchanged).unwrap();
            execution.id
        })
        .collect();
    let list = |limit| fixture.store.executions(ours.id, limit).unwrap().iter().map(|e| e.id).collect::<Vec<_>>();
    assert_eq!(list(50), [ids[4], ids[2], ids[0]]);
    assert_eq!(list(2), [ids[4], ids[2]]);
    assert_eq!(list(0), []);
    assert!(fixture.store.executions(session().id, 50).unwrap().is_empty());
}

#[test]
fn events_are_read_in_order_from_any_point() {
    let fixture = Fixture::new();
    let session = fixture.session();
    let mut execution = one_plus_one(session.id);
    let kinds = [
        EventType::InputEcho,
        EventType::Console,
        EventType::Value,
        EventType::Exception,
        EventType::System,
        EventType::Stdout,
        EventType::Stderr,
    ];
    let payload = r#"{ "text" : "as it was\u0000" }"#;
    execution.events = Some((1..=7).zip(kinds).map(|(seq, kind)| event(execution.id, seq, kind, payload)).collect());
    fixture.store.insert_execution(&execution, Effect::Unchanged).unwrap();
    fixture.store.insert_execution(&one_plus_one(session.id), Effect::Unchanged).unwrap();

    let read = |after| fixture.store.events(execution.id, after).unwrap().unwrap();
    let seqs = |after| read(after).iter().map(|event| event.seq).collect::<Vec<_>>();
    assert_eq!(seqs(0), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(seqs(5), [6, 7]);
    assert_eq!((seqs(7), seqs(u64::MAX)), (vec![], vec![]));
    let in_order: Vec<_> = execution.events.into_iter().flatten().collect();
    assert_same(&read(0), &in_order);
    assert!(fixture.store.events(ExecutionId::new(), 0).unwrap().is_none());
}

#[test]
fn an_execution_is_stored_as_a_whole_or_not_at_all() {
    let fixture = Fixture::new();
    let session = fixture.session();
    let mut execution = one_plus_one(session.id);
    execution.events.as_mut().unwrap()[1].seq = 0;
    let message = fixture.store.insert_execution(&execution, Effect::Flushed(None)).unwrap_err().to_string();
    let expected = format!("cannot store execution {}: CHECK constraint failed", execution.id);
    assert!(message.starts_with(&expected), "{message}");
    assert!(fixture.store.execution(execution.id).unwrap().is_none());
    let left: i64 = fixture.raw().query_row("SELECT count(*) FROM event_chunks", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);

    execution.events.as_mut().unwrap()[1].seq = 2;
    fixture.store.insert_execution(&execution, Effect::Unchanged).unwrap();
}

#[test]
fn one_with_many_events_is_stored_in_parts_and_seen_as_a_whole_or_not_at_all() {
    let fixture = Fixture::new();
    let session = fixture.session();
    let chunks =
        || fixture.raw().query_row("SELECT count(*) FROM event_chunks", [], |row| row.get::<_, i64>(0)).unwrap();
    let mut execution = one_plus_one(session.id);
    let payload = format!("\"{}\"", "x".repeat(200));
    execution.events = Some((1..=2500).map(|seq| event(execution.id, seq, EventType::Console, &payload)).collect());
    execution.events.as_mut().unwrap()[2499].seq = 0;
    assert!(fixture.store.insert_execution(&execution, Effect::Flushed(None)).is_err());
    assert!(fixture.store.execution(execution.id).unwrap().is_none());
    assert_eq!(chunks(), 0);

    execution.events.as_mut().unwrap()[2499].seq = 2500;
    for _ in 0..2 {
        fixture.store.begin_execution(&execution).unwrap();
        assert!(fixture.store.events(execution.id, 0).unwrap().unwrap().is_empty());
        fixture.store.forget_execution(execution.id).unwrap();
    }
    fixture.store.insert_execution(&execution, Effect::Unchanged).unwrap();
    assert_same(&fixture.store.events(execution.id, 0).unwrap(), &execution.events);
    assert!(chunks() > 20, "{}", chunks());
    let execution = Execution { events: None, ..execution };
    assert_same(&fixture.store.execution(execution.id).unwrap().unwrap(), &execution);
}

#[test]
fn an_execution_needs_a_session() {
    let fixture = Fixture::new();
    let nobody = session().id;
    let error = fixture.store.insert_execution(&one_plus_one(nobody), Effect::Unchanged).unwrap_err();
    assert!(matches!(error, StoreError::SessionNotFound(id) if id == nobody), "{error:?}");
}

#[test]
fn damaged_values_are_named() {
    let fixture = Fixture::new();
    let execution = one_plus_one(fixture.session().id);
    fixture.store.insert_execution(&execution, Effect::Flushed(None)).unwrap();
    let raw = fixture.raw();
    let damage = |sql: &str, read: &dyn Fn() -> StoreError| {
        raw.execute(sql, []).unwrap();
        match read() {
            StoreError::Damaged { table, column, why, .. } => format!("{table}.{column} {why}"),
            other => panic!("{other:?}"),
        }
    };
    let events = || fixture.store.events(execution.id, 0).unwrap_err();
    let execution = || fixture.store.execution(execution.id).unwrap_err();
    for (text, why) in [
        ("1 5 system not json", "payload cannot be read (expected ident"),
        ("1 5 smell {}", "type cannot be read (\"smell\" is none of"),
        ("1 x system {}", "ts cannot be read (x)"),
        ("1.5 5 system {}", "seq cannot be read (1.5)"),
    ] {
        let found = damage(&format!("UPDATE event_chunks SET events = '{text}'"), &events);
        assert!(found.starts_with(&format!("event_chunks.events has an event whose {why}")), "{found}");
    }
    let found = damage("UPDATE event_chunks SET events = '1 5'", &events);
    assert_eq!(found, "event_chunks.events has an event without type");
    for packed in ["x''", "x'ffffffff00'", "x'0200000030ff'", "x'0100000010ff'"] {
        let found = damage(&format!("UPDATE event_chunks SET packed = {packed}"), &events);
        assert_eq!(found, "event_chunks.packed cannot be unpacked");
    }
    let found = damage("UPDATE executions SET metrics = '[true]'", &execution);
    assert!(found.starts_with("executions.metrics cannot be read"), "{found}");
    let found = damage("UPDATE executions SET status = ''", &execution);
    assert!(found.starts_with("executions.status cannot be read"), "{found}");
}

#[test]
fn one_plus_one_costs_at_most_600_bytes() {
    const COUNT: u64 = 2000;
    let Fixture { mut store, folder } = Fixture::new();
    let path = folder.path().join("test.db");
    let sessions: Vec<_> = (0..10).map(|_| session()).collect();
    for session in &sessions {
        store.insert_session(session, &crate::support::detail("t"), &GUEST, None).unwrap();
    }
    // Closing folds the write-ahead log into the file.
    drop(store);
    let before = fs::metadata(&path).unwrap().len();
    store = Store::open(&path).unwrap();
    for session in sessions.iter().cycle().take(COUNT as usize) {
        store.insert_execution(&one_plus_one(session.id), Effect::Unchanged).unwrap();
    }
    drop(store);
    assert!(!folder.path().join("test.db-wal").exists());
    let each = (fs::metadata(&path).unwrap().len() - before) / COUNT;
    println!("{each} bytes per 1+1");
    assert!((100..=600).contains(&each), "{each} bytes");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_and_number_survives(
        texts in prop::collection::vec(any::<String>(), 0..5),
        cpu_ms in 0.0..1e9f64,
        wall_ms in 0.0..1e-3f64,
    ) {
        let fixture = Fixture::new();
        let mut execution = one_plus_one(fixture.session().id);
        let id = execution.id;
        execution.input = texts.first().cloned();
        execution.path = texts.last().cloned();
        execution.env = texts.iter().map(|text| (text.clone(), text.clone())).collect();
        execution.metrics = Metrics { cpu_ms, wall_ms, mem_bytes: u64::MAX, ..Metrics::default() };
        let payloads = texts.iter().map(|text| serde_json::to_string(&text).unwrap());
        execution.events =
            Some((1..).zip(payloads).map(|(seq, json)| event(id, seq, EventType::Console, &json)).collect());
        execution.args = texts;
        fixture.store.insert_execution(&execution, Effect::Unchanged).unwrap();
        let events = fixture.store.events(id, 0).unwrap();
        assert_same(&Execution { events, ..fixture.store.execution(id).unwrap().unwrap() }, &execution);
    }
}
