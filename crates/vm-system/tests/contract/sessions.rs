//! `/sessions` and `/runtime/summary`

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    daemon::{Daemon, NOBODY, wait_for},
    http::{Answer, text},
};

#[track_caller]
fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| text(&item["id"])).collect()
}

#[test]
fn a_new_session_has_the_documented_shape_and_is_read_back_as_it_was_answered() {
    let daemon = Daemon::start();
    let template = text(&daemon.post("/templates", &json!({"name": "a", "engine": "goja"})).ok(201)["id"]);
    let created = daemon.post("/sessions", &daemon.new_session(&template)).ok(201);
    let expected = json!({
        "id": created["id"], "template_id": template, "vm_id": template, "workspace_id": "ws",
        "base_commit_oid": "abc", "worktree_path": daemon.worktree(), "status": "ready",
        "created_at": created["created_at"], "runtime_meta": created["runtime_meta"],
    });
    assert_eq!(created, expected);
    assert!(text(&created["runtime_meta"]["engine"]).contains("quickjs"), "{created}");
    let mut details = daemon.get(&format!("/sessions/{}", text(&created["id"]))).ok(200);
    assert_eq!(details["memory"]["residency"], "resident", "the details say more: {details}");
    details.as_object_mut().unwrap().remove("memory");
    assert_eq!(details, created);
    assert_eq!(daemon.get("/sessions").ok(200), json!([created]));
}

#[test]
fn all_four_fields_are_required() {
    let daemon = Daemon::start();
    let complete = daemon.new_session(&daemon.template("a", &json!({})));
    for field in ["template_id", "workspace_id", "base_commit_oid", "worktree_path"] {
        let mut without = complete.clone();
        without.as_object_mut().unwrap().remove(field);
        daemon.post("/sessions", &without).refused(400, "VALIDATION_ERROR");
        without[field] = json!("");
        daemon.post("/sessions", &without).refused(400, "VALIDATION_ERROR");
    }
    assert_eq!(daemon.get("/sessions").ok(200), json!([]));
}

#[test]
fn the_worktree_must_be_an_existing_folder_named_absolutely() {
    let daemon = Daemon::start();
    let mut new = daemon.new_session(&daemon.template("a", &json!({})));
    daemon.write("file.txt", "");
    let (missing, file) = (daemon.worktree().join("missing"), daemon.worktree().join("file.txt"));
    for path in ["relative", ".", missing.to_str().unwrap(), file.to_str().unwrap()] {
        new["worktree_path"] = json!(path);
        daemon.post("/sessions", &new).refused(400, "VALIDATION_ERROR");
    }
    assert_eq!(daemon.get("/sessions").ok(200), json!([]), "a refused session has no row");
}

#[test]
fn a_session_of_an_unknown_template_is_404_and_of_a_bad_id_400() {
    let daemon = Daemon::start();
    let details = daemon.post("/sessions", &daemon.new_session(NOBODY)).refused(404, "TEMPLATE_NOT_FOUND");
    assert_eq!(details["template_id"], NOBODY);
    daemon.post("/sessions", &daemon.new_session("nonsense")).refused(400, "VALIDATION_ERROR");
    assert_eq!(daemon.get("/sessions").ok(200), json!([]));
}

#[test]
fn closing_a_session_stops_its_startup_files() {
    let daemon = Daemon::start();
    daemon.write("endless.js", "for (;;) {}");
    let template = daemon.template("slow", &json!({}));
    daemon.post(&format!("/templates/{template}/startup-files"), &json!({"path": "endless.js"})).ok(201);
    std::thread::scope(|scope| {
        let creating = scope.spawn(|| daemon.post("/sessions", &daemon.new_session(&template)));
        let session = wait_for(|| ids(&daemon.get("/sessions").ok(200)).pop());
        wait_for(|| (!daemon.executions(&session).is_empty()).then_some(()));
        let closed = daemon.post(&format!("/sessions/{session}/close"), &json!({})).ok(200);
        assert_eq!(closed["status"], "closed");
        creating.join().unwrap().refused(409, "SESSION_NOT_READY");
        let kept = daemon.get(&format!("/sessions/{session}")).ok(200);
        assert_eq!(kept["status"], "closed", "{kept}");
        assert!(kept["closed_at"].is_string(), "{kept}");
        assert_eq!(daemon.executions(&session)[0]["status"], "cancelled");
    });
}

#[test]
fn sessions_are_listed_newest_first_by_status_by_template_and_up_to_a_limit() {
    let daemon = Daemon::start();
    assert_eq!(daemon.get("/sessions").ok(200), json!([]));
    let (one, two) = (daemon.template("one", &json!({})), daemon.template("two", &json!({})));
    let (a, b, c) = (daemon.session_of(&one), daemon.session_of(&two), daemon.session_of(&one));
    daemon.post(&format!("/sessions/{a}/close"), &json!({})).ok(200);
    let list = |query: &str| ids(&daemon.get(&format!("/sessions{query}")).ok(200));
    assert_eq!(list(""), [&*c, &b, &a]);
    assert_eq!(list("?status=ready"), [&*c, &b]);
    assert_eq!(list("?status=closed"), [&*a]);
    assert_eq!(list("?status=crashed"), Vec::<String>::new());
    assert_eq!(list(&format!("?template_id={one}")), [&*c, &a]);
    assert_eq!(list(&format!("?template_id={one}&status=closed")), [&*a]);
    assert_eq!(list("?limit=2"), [&*c, &b]);
}

#[test]
fn a_bad_filter_is_400() {
    let daemon = Daemon::start();
    for query in ["status=bogus", "status=READY", "template_id=x", "limit=x", "limit=0", "limit=-1", "limit=1.5"] {
        daemon.get(&format!("/sessions?{query}")).refused(400, "VALIDATION_ERROR");
    }
}

#[test]
fn an_unknown_session_is_404_with_its_id_and_a_bad_id_400() {
    let daemon = Daemon::start();
    for (id, status, code) in [(NOBODY, 404, "SESSION_NOT_FOUND"), ("x", 400, "VALIDATION_ERROR")] {
        daemon.get(&format!("/sessions/{id}")).refused(status, code);
        daemon.post(&format!("/sessions/{id}/close"), &json!({})).refused(status, code);
        daemon.delete(&format!("/sessions/{id}")).refused(status, code);
    }
    let details = daemon.get(&format!("/sessions/{NOBODY}")).refused(404, "SESSION_NOT_FOUND");
    assert_eq!(details["session_id"], NOBODY);
}

#[test]
fn closing_again_changes_nothing() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let closed = daemon.post(&format!("/sessions/{session}/close"), &json!({})).ok(200);
    assert_eq!((&closed["id"], &closed["status"]), (&json!(session), &json!("closed")));
    assert!(closed["closed_at"].is_string(), "{closed}");
    assert_eq!(daemon.post(&format!("/sessions/{session}/close"), &json!({})).ok(200), closed);
    assert_eq!(daemon.delete(&format!("/sessions/{session}")).ok(200), closed);
    assert_eq!(daemon.get(&format!("/sessions/{session}")).ok(200), closed);
}

#[test]
fn delete_closes_too() {
    let daemon = Daemon::start();
    let session = daemon.session();
    assert_eq!(daemon.delete(&format!("/sessions/{session}")).ok(200)["status"], "closed");
    daemon.repl(&session, "1").refused(409, "SESSION_NOT_READY");
}

#[test]
fn closing_needs_no_body_and_ignores_any() {
    let daemon = Daemon::start();
    for body in ["", "not json", r#"{"unknown":true}"#] {
        let session = daemon.session_of(&daemon.template(&format!("for {body}"), &json!({})));
        let request = daemon.request(Method::POST, &format!("/sessions/{session}/close")).body(body);
        assert_eq!(Answer::to(request).ok(200)["status"], "closed");
    }
}

#[test]
fn closing_a_session_while_code_runs_cancels_the_execution() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let answer = daemon.while_running(&session, "console.log('begun'); for (;;) {}", || {
        let events = format!("/executions/{}/events?after_seq=1", text(&daemon.executions(&session)[0]["id"]));
        wait_for(|| daemon.get(&events).ok(200).as_array().unwrap().first().cloned());
        assert_eq!(daemon.post(&format!("/sessions/{session}/close"), &json!({})).ok(200)["status"], "closed");
    });
    assert_eq!(answer.ok(201)["status"], "cancelled");
    let executions = daemon.executions(&session);
    assert_eq!(executions[0]["status"], "cancelled", "{executions:?}");
    assert!(executions[0]["ended_at"].is_string(), "{executions:?}");
    let events = daemon.get(&format!("/executions/{}/events", text(&executions[0]["id"]))).ok(200);
    assert_eq!(events[1]["payload"]["text"], "begun", "what was recorded until then is kept");
}

#[test]
fn later_edits_of_the_template_do_not_reach_a_session() {
    let daemon = Daemon::start();
    let template = daemon.template_with("a", &json!({}), &["fs"]);
    let path = format!("/templates/{template}");
    let global = json!({"kind": "global", "name": "LEVEL", "config": {"value": 1}});
    let capability = daemon.post(&format!("{path}/capabilities"), &global).ok(201);
    let before = daemon.session_of(&template);

    daemon.delete(&format!("{path}/modules/fs")).ok(200);
    daemon.post(&format!("{path}/modules"), &json!({"name": "exec"})).ok(201);
    daemon.delete(&format!("{path}/capabilities/{}", text(&capability["id"]))).ok(200);
    daemon.post(&format!("{path}/libraries"), &json!({"name": "lodash"})).ok(201);
    daemon.post(&format!("{path}/startup-files"), &json!({"path": "missing.js"})).ok(201);
    let settings = json!({"runtime": {"console": false, "strict": true}});
    daemon.patch(&path, &json!({"settings": settings, "is_active": false})).ok(200);

    assert_eq!(daemon.preview(&before, "require('fs').existsSync('nothing') + ' ' + LEVEL"), "false 1");
    assert!(daemon.failure(&before, "require('exec')").contains("Invalid module"));
    assert_eq!(daemon.preview(&before, "undeclared = typeof console"), "object");
}

#[test]
fn the_summary_counts_the_live_sessions() {
    let daemon = Daemon::start();
    let summary = || {
        let summary = daemon.get("/runtime/summary").ok(200);
        (summary["active_sessions"].clone(), summary["active_session_ids"].clone())
    };
    assert_eq!(summary(), (json!(0), json!([])));
    let template = daemon.template("a", &json!({}));
    let (a, b) = (daemon.session_of(&template), daemon.session_of(&template));
    assert_eq!(summary(), (json!(2), json!([a, b])));
    daemon.delete(&format!("/sessions/{a}")).ok(200);
    assert_eq!(summary(), (json!(1), json!([b])));
}
