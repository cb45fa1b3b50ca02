//! `/catalog/…`

use serde_json::{Value, json};

use crate::{daemon::Daemon, http::text};

#[track_caller]
fn list(daemon: &Daemon, of: &str) -> Vec<Value> {
    daemon.get(&format!("/catalog/{of}")).ok(200).as_array().unwrap().clone()
}

#[test]
fn every_module_has_a_description_and_its_functions_and_can_be_added() {
    let daemon = Daemon::start();
    let modules = list(&daemon, "modules");
    let functions: Vec<_> = modules.iter().map(|module| json!([module["name"], module["functions"]])).collect();
    let expected = json!([
        ["database", ["configure", "query", "exec", "close"]],
        ["exec", ["run"]],
        [
            "fs",
            [
                "readFileSync",
                "writeFileSync",
                "appendFileSync",
                "existsSync",
                "readdirSync",
                "mkdirSync",
                "statSync",
                "rmSync",
            ]
        ],
    ]);
    assert_eq!(json!(functions), expected);
    let template = daemon.template("a", &json!({}));
    for module in modules {
        assert!(text(&module["description"]).ends_with('.'), "{module}");
        daemon.post(&format!("/templates/{template}/modules"), &json!({"name": module["name"]})).ok(201);
        let capability = json!({"kind": "module", "name": module["name"]});
        daemon.post(&format!("/templates/{template}/capabilities"), &capability).ok(201);
    }
}

#[test]
fn every_library_has_its_version_and_global_and_can_be_added() {
    let daemon = Daemon::start();
    let libraries = list(&daemon, "libraries");
    let listed: Vec<_> = libraries.iter().map(|it| json!([it["name"], it["version"], it["global"]])).collect();
    let expected = json!([
        ["lodash", "4.17.21", "_"],
        ["moment", "2.29.4", "moment"],
        ["axios", "1.6.0", "axios"],
        ["ramda", "0.29.0", "R"],
        ["dayjs", "1.11.10", "dayjs"],
        ["zustand", "4.4.7", "zustand"],
    ]);
    assert_eq!(json!(listed), expected);
    let template = daemon.template("a", &json!({}));
    for library in libraries {
        assert!(!text(&library["description"]).is_empty(), "{library}");
        daemon.post(&format!("/templates/{template}/libraries"), &json!({"name": library["name"]})).ok(201);
    }
}

#[test]
fn every_engine_can_be_asked_for_and_one_is_the_default() {
    let daemon = Daemon::start();
    let engines = list(&daemon, "engines");
    let listed: Vec<_> = engines.iter().map(|engine| json!([engine["name"], engine["default"]])).collect();
    assert_eq!(json!(listed), json!([["quickjs", true], ["goja", false]]));
    for engine in engines {
        assert!(text(&engine["description"]).ends_with('.'), "{engine}");
        let new = json!({"name": engine["name"], "engine": engine["name"]});
        assert_eq!(daemon.post("/templates", &new).ok(201)["engine"], engine["name"]);
    }
}

#[test]
fn there_is_no_other_catalog() {
    let daemon = Daemon::start();
    daemon.get("/catalog").refused(404, "NOT_FOUND");
    daemon.get("/catalog/nothing").refused(404, "NOT_FOUND");
    daemon.post("/catalog/modules", &json!({})).refused(405, "METHOD_NOT_ALLOWED");
}
