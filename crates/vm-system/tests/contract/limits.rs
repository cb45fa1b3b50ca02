//! Each limit that holds so far: 422, the execution recorded as `timeout` with its events, and the session as usable as before.

use serde_json::{Value, json};

use crate::{daemon::Daemon, http::text};

/// Runs `code` under `limits` in a session that holds the state `kept`, and checks all that is promised of exceeding
/// `limit`; the recorded events.
#[track_caller]
fn exceeds(limit: &str, configured: u64, limits: &Value, code: &str) -> Vec<Value> {
    let daemon = Daemon::start();
    let session = daemon.session_of(&daemon.template("limited", &json!({"limits": limits})));
    daemon.repl(&session, "var kept = 'kept'").ok(201);
    let details = daemon.repl(&session, code).refused(422, "OUTPUT_LIMIT_EXCEEDED");
    let id = text(&details["execution_id"]);
    let expected = json!({"session_id": session, "execution_id": id, "limit": limit, "configured": configured});
    assert_eq!(details, expected);

    let recorded = daemon.get(&format!("/executions/{id}")).ok(200);
    assert_eq!(recorded["status"], "timeout", "{recorded}");
    assert!(recorded["ended_at"].is_string(), "{recorded}");
    assert_eq!(daemon.get(&format!("/sessions/{session}")).ok(200)["status"], "ready");
    assert_eq!(daemon.repl(&session, "kept").ok(201)["result"]["json"], "kept");
    let events = daemon.get(&format!("/executions/{id}/events")).ok(200);
    assert_eq!(events[0]["type"], "input_echo", "{events}");
    events.as_array().unwrap().clone()
}

#[test]
fn wall_ms_stops_a_loop() {
    let events = exceeds("wall_ms", 1000, &json!({"wall_ms": 1000}), "console.log('begun'); for (;;) {}");
    assert_eq!(events[1]["payload"]["text"], "begun");
}

#[test]
fn wall_ms_stops_waiting() {
    exceeds("wall_ms", 1000, &json!({"wall_ms": 1000}), "await new Promise(done => setTimeout(done, 3_600_000))");
}

#[test]
fn wall_ms_stops_a_loop_in_the_engine_itself() {
    let code = "Array.from({length: 3e7}, (_, i) => 'x' + (i * 7919) % 1e7).sort()";
    exceeds("wall_ms", 1000, &json!({"wall_ms": 1000, "mem_mb": 2048}), code);
}

#[test]
fn a_loop_that_catches_everything_is_stopped_too() {
    exceeds(
        "wall_ms",
        1000,
        &json!({"wall_ms": 1000}),
        "for (;;) { try { for (;;) {} } catch {} finally { continue } }",
    );
}

#[test]
fn mem_mb_stops_growth() {
    exceeds(
        "mem_mb",
        32,
        &json!({"mem_mb": 32}),
        "var hoard = []; for (;;) hoard.push(new Uint8Array(1 << 20).fill(1))",
    );
}

#[test]
fn max_events_keeps_that_many() {
    let events = exceeds("max_events", 10, &json!({"max_events": 10}), "for (;;) console.log('x')");
    assert!((10..=11).contains(&events.len()), "ten, and perhaps the system's own word: {events:?}");
}

#[test]
fn max_output_kb_bounds_what_is_recorded() {
    let events = exceeds("max_output_kb", 4, &json!({"max_output_kb": 4}), "for (;;) console.log('x'.repeat(1000))");
    let bytes: usize = events.iter().map(|event| event["payload"].to_string().len()).sum();
    assert!(bytes <= 5 * 1024, "{bytes}");
}

#[test]
fn one_value_that_is_too_large_exceeds_max_output_kb() {
    exceeds("max_output_kb", 4, &json!({"max_output_kb": 4}), "'x'.repeat(100_000)");
}
