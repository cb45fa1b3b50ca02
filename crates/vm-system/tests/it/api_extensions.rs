//! `/templates/{id}/modules` and `/templates/{id}/libraries`

use std::thread;

use serde_json::json;

use crate::{
    daemon::{Daemon, NOBODY},
    http::text,
};

/// Folder, field of the template, two names in an order that is not theirs by letter.
const BOTH: [(&str, &str, [&str; 2]); 2] =
    [("modules", "exposed_modules", ["fs", "database"]), ("libraries", "libraries", ["ramda", "left-pad-1.3.0"])];

#[test]
fn names_are_listed_once_in_the_order_in_which_they_were_added() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    for (folder, field, [first, second]) in BOTH {
        let path = format!("/templates/{template}/{folder}");
        assert_eq!(daemon.get(&path).ok(200), json!([]));
        for name in [first, second, first] {
            let added = daemon.post(&path, &json!({"name": format!(" {}\t", name.to_uppercase())})).ok(201);
            assert_eq!(added, json!({"name": name, "template_id": template}));
        }
        assert_eq!(daemon.get(&path).ok(200), json!([first, second]));
        assert_eq!(daemon.get(&format!("/templates/{template}")).ok(200)["template"][field], json!([first, second]));
    }
}

#[test]
fn removing_is_fine_however_often() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    for (folder, _, [first, second]) in BOTH {
        let path = format!("/templates/{template}/{folder}");
        for name in [first, second] {
            daemon.post(&path, &json!({"name": name})).ok(201);
        }
        for name in [first.to_uppercase(), format!("%20{first}"), first.into()] {
            let removed = daemon.delete(&format!("{path}/{name}")).ok(200);
            assert_eq!(removed, json!({"status": "ok", "template_id": template, "name": first}));
            assert_eq!(daemon.get(&path).ok(200), json!([second]));
        }
        daemon.delete(&format!("{path}/never-heard-of")).ok(200);
        assert_eq!(daemon.get(&path).ok(200), json!([second]));
    }
}

#[test]
fn a_module_that_does_not_exist_is_refused_with_those_that_do() {
    let daemon = Daemon::start();
    let path = format!("/templates/{}/modules", daemon.template("a", &json!({})));
    for (name, part) in [
        ("http", "database, exec and fs"),
        ("../fs", "database, exec and fs"),
        ("JSON", "always there"),
        ("Math", "always there"),
        ("date", "always there"),
        ("promise", "always there"),
    ] {
        let answer = daemon.post(&path, &json!({"name": name}));
        let message = text(&answer.body["error"]["message"]);
        assert!(message.contains(part) && message.contains(&name.to_lowercase()), "{message}");
        answer.refused(422, "MODULE_NOT_ALLOWED");
    }
    assert_eq!(daemon.get(&path).ok(200), json!([]));
}

#[test]
fn a_name_that_no_library_can_have_is_refused() {
    let daemon = Daemon::start();
    let path = format!("/templates/{}/libraries", daemon.template("a", &json!({})));
    for name in ["left-pad", "../lodash-4.17.21", "/etc/passwd-1", "..", "a/b-1.0", "a\\b-1.0", "-1.0"] {
        daemon.post(&path, &json!({"name": name})).refused(400, "VALIDATION_ERROR");
    }
    assert_eq!(daemon.get(&path).ok(200), json!([]));
}

#[test]
fn a_bare_name_and_the_one_with_the_version_of_the_catalog_are_one_library() {
    let daemon = Daemon::start();
    let path = format!("/templates/{}/libraries", daemon.template("a", &json!({})));
    for name in ["lodash", "lodash-4.17.21", "lodash-4.17.20"] {
        daemon.post(&path, &json!({"name": name})).ok(201);
    }
    assert_eq!(daemon.get(&path).ok(200), json!(["lodash", "lodash-4.17.20"]));
    daemon.delete(&format!("{path}/lodash-4.17.21")).ok(200);
    assert_eq!(daemon.get(&path).ok(200), json!(["lodash-4.17.20"]));
}

#[test]
fn a_name_is_required() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    for (folder, ..) in BOTH {
        let path = format!("/templates/{template}/{folder}");
        for body in [json!({}), json!({"name": ""}), json!({"name": " \n"}), json!({"name": "f\0s"})] {
            daemon.post(&path, &body).refused(400, "VALIDATION_ERROR");
        }
        for body in [json!({"name": 1}), json!({"name": "fs", "version": "1"}), json!(["fs"])] {
            daemon.post(&path, &body).refused(400, "INVALID_REQUEST");
        }
    }
}

#[test]
fn an_unknown_template_is_404_and_a_bad_id_400() {
    let daemon = Daemon::start();
    for (folder, _, [name, _]) in BOTH {
        for (id, status, code) in [(NOBODY, 404, "TEMPLATE_NOT_FOUND"), ("x", 400, "VALIDATION_ERROR")] {
            let path = format!("/templates/{id}/{folder}");
            daemon.get(&path).refused(status, code);
            daemon.post(&path, &json!({"name": name})).refused(status, code);
            daemon.delete(&format!("{path}/{name}")).refused(status, code);
        }
    }
}

#[test]
fn additions_at_the_same_time_lose_nothing() {
    let daemon = Daemon::start();
    let template = daemon.template("a", &json!({}));
    let path = format!("/templates/{template}/libraries");
    let names = |writer: &str| (0..30).map(|i| format!("{writer}-{i}.0")).collect::<Vec<_>>();
    let add = |writer: &str| {
        for name in names(writer) {
            daemon.post(&path, &json!({"name": name})).ok(201);
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| add("a"));
        scope.spawn(|| add("b"));
    });
    let listed = daemon.get(&path).ok(200);
    let of = |writer: &str| -> Vec<String> {
        listed.as_array().unwrap().iter().map(text).filter(|name| name.starts_with(writer)).collect()
    };
    assert_eq!((of("a"), of("b")), (names("a"), names("b")));
}
