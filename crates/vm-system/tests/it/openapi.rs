//! The OpenAPI document itself. What the other tests see is checked against it in `http`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    daemon::{Daemon, NOBODY},
    document::{Call, DOCUMENT},
    http::Answer,
};

#[test]
fn the_daemon_serves_the_document() {
    let daemon = Daemon::start();
    let document = daemon.get("/openapi.json").ok(200);
    assert_eq!(document, *DOCUMENT);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn every_documented_method_is_served_and_no_other() {
    let daemon = Daemon::start();
    for (route, operations) in DOCUMENT["paths"].as_object().unwrap() {
        let path: String = route
            .split('/')
            .skip(1)
            .map(|part| format!("/{}", if part.starts_with('{') { NOBODY } else { part }))
            .collect();
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = Answer::to(daemon.request(method.clone(), &path));
            let documented = operations.get(method.as_str().to_lowercase()).is_some();
            let code = &answer.body["error"]["code"];
            assert_ne!(code, "NOT_FOUND", "{method} {path}");
            assert_eq!(code != "METHOD_NOT_ALLOWED", documented, "{method} {path}");
        }
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_a_tag() {
    let operations: Vec<&Value> = DOCUMENT["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|operations| operations.as_object().unwrap().values())
        .collect();
    let tags: Vec<&Value> = DOCUMENT["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut names = Vec::new();
    for operation in operations {
        let name = operation["operationId"].as_str().unwrap();
        assert!(!names.contains(&name), "{name} is there twice");
        names.push(name);
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')), "{name}");
        assert!(tags.contains(&&operation["tags"][0]), "{name}");
    }
    assert!(names.len() >= 31, "{names:?}");
}

#[test]
fn descriptions_are_for_people_who_do_not_know_the_code() {
    for trace in ["[`", "crate::", "::"] {
        assert!(!vm_server::openapi().contains(trace), "{trace}");
    }
}

#[test]
#[should_panic(expected = "GET /api/v1/health was answered with 204: the document has no such status")]
fn a_status_that_the_document_does_not_have_is_noticed() {
    Call { method: "GET", path: "/api/v1/health", sent: None, status: 204, answer: &json!({"status": "ok"}) }.check();
}

#[test]
#[should_panic(expected = "GET /api/v1/health was answered with 200: Unevaluated properties are not allowed")]
fn a_field_that_the_document_does_not_have_is_noticed() {
    let answer = json!({"status": "ok", "since": "yesterday"});
    Call { method: "GET", path: "/api/v1/health", sent: None, status: 200, answer: &answer }.check();
}

#[test]
#[should_panic(expected = "GET /api/v1/hidden was answered with 200: the document has no such route")]
fn a_route_that_the_document_does_not_have_is_noticed() {
    Call { method: "GET", path: "/api/v1/hidden", sent: None, status: 200, answer: &json!({}) }.check();
}
