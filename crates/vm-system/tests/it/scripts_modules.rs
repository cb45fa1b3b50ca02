//! `import` and `require`: files of the worktree, and how they find each other.

use serde_json::{Value, json};

use crate::daemon::Daemon;

/// A daemon with these files in its worktree, and a session whose template has these settings.
#[track_caller]
fn session(settings: &Value, files: &[(&str, &str)]) -> (Daemon, String) {
    let daemon = Daemon::start();
    for (path, content) in files {
        daemon.write(path, content);
    }
    let session = daemon.session_of(&daemon.template("modules", settings));
    (daemon, session)
}

fn esm() -> Value {
    json!({"runtime": {"esm": true}})
}

#[test]
fn with_esm_a_file_runs_as_a_module_and_imports_relative_to_itself() {
    let files = [
        ("app/main.js", "import { sum } from './lib/sum.js'; console.log(sum(40, 2), typeof module, this)"),
        ("app/lib/sum.js", "import * as up from '../one.js'; export const sum = (a, b) => a * up.one + b"),
        ("app/one.js", "export const one = 1"),
    ];
    let (daemon, session) = session(&esm(), &files);
    assert_eq!(daemon.console(&session, "app/main.js"), ["42 undefined undefined"]);
}

#[test]
fn without_esm_a_file_is_a_script_and_mjs_is_a_module_all_the_same() {
    let files = [("a.js", "import './b.mjs'"), ("b.mjs", "console.log(import.meta.url.startsWith('file:///'))")];
    let (daemon, session) = session(&json!({}), &files);
    let failed = daemon.run_file(&session, "a.js").ok(201);
    assert!(failed["error"]["message"].as_str().unwrap().starts_with("SyntaxError"), "{failed}");
    assert_eq!(daemon.console(&session, "b.mjs"), ["true"]);
}

#[test]
fn import_meta_url_is_the_file_and_what_is_made_from_it_can_be_imported() {
    let files = [
        (
            "a dir/main.mjs",
            "const url = new URL('./dep.mjs', import.meta.url); console.log(url.href === import.meta.resolve?.('x') ? '' : \
             (await import(url)).name, decodeURIComponent(url.pathname).endsWith('/a dir/dep.mjs'))",
        ),
        ("a dir/dep.mjs", "export const name = 'dep'"),
    ];
    let (daemon, session) = session(&json!({}), &files);
    assert_eq!(daemon.console(&session, "a dir/main.mjs"), ["dep true"]);
}

#[test]
fn specifiers_are_tried_in_each_root_with_each_extension() {
    let settings = json!({
        "runtime": {"esm": true}, "resolver": {"roots": ["src", "vendor/lib"], "extensions": [".js", ".mjs", ".es"]},
    });
    let files = [
        ("main.js", "import a from 'util/a'; import b from './b'; import c from 'c'; console.log(a, b, c)"),
        ("src/util/a.js", "export default 'src'"),
        ("vendor/lib/util/a.js", "export default 'vendor'"),
        ("b.mjs", "export default 'b'"),
        ("vendor/lib/c.es", "export default 'c'"),
    ];
    let (daemon, session) = session(&settings, &files);
    assert_eq!(daemon.console(&session, "main.js"), ["src b c"]);
}

#[test]
fn an_import_that_finds_nothing_names_the_importing_file_and_the_tried_paths() {
    let files = [("app/main.js", "import './dep.js'"), ("app/dep.js", "import './missing'")];
    let (daemon, session) = session(&esm(), &files);
    let message = daemon.failure_of_file(&session, "app/main.js");
    for part in ["./missing", "imported from app/dep.js", "app/missing, app/missing.js, app/missing.mjs"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_module_that_was_mended_can_be_imported_after_it_failed() {
    let files = [("main.js", "import { x } from './a.js'; console.log(x)"), ("a.js", "export { x } from './b.js'")];
    let (daemon, session) = session(&esm(), &files);
    for broken in [None, Some("export const x = ;"), Some("export const y = 1")] {
        if let Some(source) = broken {
            daemon.write("b.js", source);
        }
        daemon.failure_of_file(&session, "main.js");
        assert_eq!(daemon.preview(&session, "1 + 1"), "2");
    }
    daemon.write("b.js", "export const x = 'mended'");
    assert_eq!(daemon.console(&session, "main.js"), ["mended"]);
}

#[test]
fn a_module_is_evaluated_once_in_a_session_and_the_file_that_is_run_each_time() {
    let files = [
        ("main.js", "import { next } from './counter.js'; console.log(next())"),
        ("counter.js", "let n = 0; console.log('evaluated'); export const next = () => ++n"),
    ];
    let (daemon, session) = session(&esm(), &files);
    assert_eq!(daemon.console(&session, "main.js"), ["evaluated", "1"]);
    assert_eq!(daemon.console(&session, "main.js"), ["2"]);
    assert_eq!(daemon.preview(&session, "import('./counter.js').then(counter => counter.next())"), "3");
    assert_eq!(daemon.preview(&session, "import('./counter.js?again').then(counter => counter.next())"), "1");
}

#[test]
fn cycles_live_bindings_and_top_level_await_work() {
    let files = [
        (
            "a.js",
            "import { b } from './b.js'; export let a = 'a'; export const both = () => a + b(); console.log(both())",
        ),
        ("b.js", "import { a } from './a.js'; await null; export const b = () => a.toUpperCase()"),
    ];
    let (daemon, session) = session(&esm(), &files);
    assert_eq!(daemon.console(&session, "a.js"), ["aA"]);
}

#[test]
fn json_is_a_module_with_a_default_export() {
    let files = [
        (
            "main.js",
            "import data from './data.json'; import same from './data.json' with { type: 'json' };
                     console.log(data.list, same.list.length)",
        ),
        ("data.json", r#"{"list": [1, 2]}"#),
        ("bad.js", "import './broken.json'"),
        ("broken.json", "{"),
        ("text.js", "import './main.js' with { type: 'json' }"),
        ("attribute.js", "import './data.json' with { type: 'css' }"),
    ];
    let (daemon, session) = session(&esm(), &files);
    assert_eq!(daemon.console(&session, "main.js"), ["[ 1, 2 ] 2"]);
    for (file, said) in [("bad.js", "SyntaxError"), ("text.js", "no .json file"), ("attribute.js", "css")] {
        let message = daemon.failure_of_file(&session, file);
        assert!(message.contains(said), "{file}: {message}");
    }
}

#[test]
fn absolute_imports_mean_the_worktree_and_need_their_setting() {
    let files = [("sub/main.js", "import a from '/lib/a.js'; console.log(a)"), ("lib/a.js", "export default 1")];
    let (daemon, strict) = session(&esm(), &files);
    let message = daemon.failure_of_file(&strict, "sub/main.js");
    assert!(message.contains("allow_absolute_repo_imports"), "{message}");
    let settings = json!({"runtime": {"esm": true}, "resolver": {"allow_absolute_repo_imports": true}});
    let open = daemon.session_of(&daemon.template("absolute", &settings));
    assert_eq!(daemon.console(&open, "sub/main.js"), ["1"]);
}

#[test]
fn a_module_that_throws_fails_its_execution_and_its_stack_names_the_file() {
    let (daemon, session) =
        session(&esm(), &[("a.js", "\nimport './b.js'"), ("b.js", "\n\nthrow new Error('from b')")]);
    let execution = daemon.run_file(&session, "a.js").ok(201);
    assert_eq!((&execution["status"], &execution["error"]["message"]), (&json!("error"), &json!("Error: from b")));
    assert!(execution["error"]["stack"].as_str().unwrap().contains("b.js:3"), "{execution}");
}

#[test]
fn require_gives_files_of_the_worktree_as_common_js() {
    let files = [
        ("main.js", "const lib = require('./lib'); console.log(lib.name, lib.data.n, lib.file, lib.folder)"),
        (
            "lib/index.js",
            "exports.name = require('./name'); exports.data = require('../data');
             exports.file = __filename.split('/').slice(-2).join('/'); exports.folder = __dirname.split('/').pop()",
        ),
        ("lib/name.js", "#!/usr/bin/env node\nmodule.exports = 'lib'"),
        ("data.json", r#"{"n": 7}"#),
    ];
    let (daemon, session) = session(&json!({}), &files);
    assert_eq!(daemon.console(&session, "main.js"), ["lib 7 lib/index.js lib"]);
    assert_eq!(daemon.preview(&session, "require('./lib') === require('./lib/index.js')"), "true");
    assert_eq!(daemon.preview(&session, "typeof module"), "undefined");
}

#[test]
fn required_files_may_depend_on_each_other_in_a_circle() {
    let files = [
        ("a.js", "exports.early = 1; exports.b = require('./b'); exports.late = 2"),
        ("b.js", "const a = require('./a'); exports.seen = Object.keys(a).join(); exports.later = () => a.late"),
    ];
    let (daemon, session) = session(&json!({}), &files);
    assert_eq!(
        daemon.preview(&session, "var a = require('./a'); a.b.seen + ' ' + a.b.later()"),
        "early,b 2".replace(",b", "")
    );
}

#[test]
fn a_required_file_that_throws_is_loaded_again_the_next_time() {
    let (daemon, session) = session(&json!({}), &[("a.js", "throw new TypeError('not yet')"), ("b.json", "[1,")]);
    assert_eq!(daemon.failure(&session, "require('./a')"), "TypeError: not yet");
    daemon.write("a.js", "module.exports = 'now'");
    assert_eq!(daemon.preview(&session, "require('./a')"), "now");
    let message = daemon.failure(&session, "require('./b.json')");
    assert!(message.starts_with("SyntaxError: b.json: "), "{message}");
}

#[test]
fn anything_else_is_an_invalid_module_and_the_error_says_what_to_do() {
    let (daemon, session) = session(&json!({}), &[("m.mjs", "export default 1")]);
    for (specifier, advice) in [
        ("fs", "template add-module"),
        ("database", "--name database"),
        ("lodash", "template add-library"),
        ("left-pad", "start with ./ or ../"),
        ("/etc/passwd", "start with ./ or ../"),
        ("./missing", "tried missing, missing.js, missing.json, missing/index.js"),
        ("../outside", "leads out of the worktree"),
        ("./m.mjs", "import()"),
        ("", "start with ./ or ../"),
    ] {
        let message = daemon.failure(&session, &format!("require({specifier:?})"));
        assert!(message.starts_with(&format!("Error: Invalid module '{specifier}': ")), "{message}");
        assert!(message.contains(advice), "{message}");
    }
}

#[test]
fn require_is_relative_to_the_file_that_calls_it_wherever_it_is_called_from() {
    let files = [
        ("lib/a.js", "exports.get = name => require(name)"),
        ("lib/b.js", "module.exports = 'in lib'"),
        ("b.js", "module.exports = 'in root'"),
        ("deep/script.js", "console.log(require('../b'))"),
        ("deep/module.mjs", "console.log(require('../b'))"),
    ];
    let (daemon, session) = session(&json!({}), &files);
    assert_eq!(daemon.preview(&session, "require('./lib/a').get('./b') + ', ' + require('./b')"), "in lib, in root");
    assert_eq!(daemon.console(&session, "deep/script.js"), ["in root"]);
    assert_eq!(daemon.console(&session, "deep/module.mjs"), ["in root"]);
}
