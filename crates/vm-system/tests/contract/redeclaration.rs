//! Declaring anew what an earlier input declared.

use crate::daemon::Daemon;

#[test]
fn a_later_repl_input_replaces_let_const_and_class() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for (code, check, expected) in [
        ("let a = 1; const b = 2; class C { n = 3 }", "[a, b, new C().n].join()", "1,2,3"),
        ("let a = 10; const b = 20; class C { n = 30 }", "[a, b, new C().n].join()", "10,20,30"),
        ("const a = 'let was first'", "a", "let was first"),
        ("let b = 'const was first'; b += '!'", "b", "const was first!"),
        ("class a {}", "typeof a", "function"),
        ("let C", "typeof C", "undefined"),
        ("const { x, y: [z] } = { x: 1, y: [2] }", "x + z", "3"),
        ("let [x, ...z] = [4, 5, 6]", "x + z.join()", "45,6"),
        ("const later = await Promise.resolve(1)", "later", "1"),
        ("const later = await Promise.resolve(2)", "later", "2"),
    ] {
        daemon.preview(&session, code);
        assert_eq!(daemon.preview(&session, check), expected, "{code}");
    }
}

#[test]
fn in_one_input_it_stays_an_error() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.preview(&session, "let a = 1");
    for code in ["let a = 2; let a = 3", "const a = 2; class a {}", "let b; var b"] {
        let message = daemon.failure(&session, code);
        assert!(message.starts_with("SyntaxError: "), "{code}: {message}");
    }
    assert_eq!(daemon.preview(&session, "a"), "1");
    assert_eq!(daemon.failure(&session, "const fixed = 1; fixed = 2").split(':').next(), Some("TypeError"));
}

#[test]
fn in_files_it_stays_an_error() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.write("let.js", "let a = 1; const b = 2; class C {}");
    daemon.console(&session, "let.js");
    for (name, source) in [("a", "let a = 9"), ("b", "const b = 9"), ("C", "class C {}"), ("v", "var a = 9")] {
        daemon.write(&format!("{name}.js"), source);
        let message = daemon.failure_of_file(&session, &format!("{name}.js"));
        assert!(message.starts_with("SyntaxError: ") && message.contains("redeclaration"), "{source}: {message}");
    }
    assert_eq!(daemon.preview(&session, "a + b"), "3");
    daemon.preview(&session, "let a = 5");
    assert_eq!(daemon.preview(&session, "a + b"), "7");
}
