//! `import`, static and dynamic.

use serde_json::json;

use crate::world::World;

/// Specifiers, as the file `sub/attempt.mjs` has them, with what is said about each.
const SPECIFIERS: [(&str, &str); 51] = [
    ("../../secret.mjs", "imported from sub/attempt.mjs: no such file; it leads out of the worktree"),
    ("../../secret", "it leads out of the worktree"),
    ("../../../etc/passwd", "it leads out of the worktree"),
    ("../..", "it leads out of the worktree"),
    ("../../", "it leads out of the worktree"),
    ("../../into/inside.mjs", "it leads out of the worktree"),
    ("../../work/inside.mjs", "it leads out of the worktree"),
    (".././../secret.mjs", "it leads out of the worktree"),
    ("..//..//secret.mjs", "it leads out of the worktree"),
    ("./x/../../../secret.mjs", "it leads out of the worktree"),
    ("../inside.mjs/../../secret.mjs", "it leads out of the worktree"),
    ("../../secret.mjs?x", "it leads out of the worktree"),
    ("../../secret.mjs#x", "it leads out of the worktree"),
    ("../../secret.mjs/", "it leads out of the worktree"),
    ("/secret.mjs", "absolute imports need the template's setting resolver.allow_absolute_repo_imports"),
    ("$OUT/secret.mjs", "absolute imports need"),
    ("//secret.mjs", "absolute imports need"),
    ("../link.mjs", "link.mjs leads out of the worktree"),
    ("../link", "link.js leads out of the worktree"),
    ("../absolute.mjs", "absolute.mjs leads out of the worktree"),
    ("../chain.mjs", "chain.mjs leads out of the worktree"),
    ("../chain.mjs?x=1", "chain.mjs leads out of the worktree"),
    ("../dangling.mjs", "leads out of the worktree"),
    ("../and-back.mjs", "leads out of the worktree"),
    ("../loop.mjs", "no such file; tried loop.mjs"),
    ("../up/secret.mjs", "up/secret.mjs leads out of the worktree"),
    ("./up/secret.mjs", "sub/up/secret.mjs leads out of the worktree"),
    ("../folder/secret.mjs", "leads out of the worktree"),
    ("../absolute-folder/secret.mjs", "leads out of the worktree"),
    ("../back/inside.mjs", "leads out of the worktree"),
    ("../root/etc/passwd", "leads out of the worktree"),
    ("../proc-root/etc/passwd", "leads out of the worktree"),
    ("../proc-cwd/x.db", "leads out of the worktree"),
    ("file://$OUT/secret.mjs", "only files of the worktree can be imported"),
    ("file://$WORK/../secret.mjs", "it leads out of the worktree"),
    ("file://$WORK/%2e%2e/secret.mjs", "it leads out of the worktree"),
    ("file://$WORK/%2E%2E%2Fsecret.mjs", "it leads out of the worktree"),
    ("file://$WORK/sub/up/secret.mjs", "leads out of the worktree"),
    ("file://$WORK-sibling/secret.mjs", "only files of the worktree can be imported"),
    ("file://localhost$OUT/secret.mjs", "only files of the worktree can be imported"),
    ("file:../../secret.mjs", "only files of the worktree can be imported"),
    ("FILE://$OUT/secret.mjs", "only files of the worktree can be imported"),
    ("data:text/javascript,1", "only files of the worktree can be imported"),
    ("http://127.0.0.1/secret.mjs", "only files of the worktree can be imported"),
    ("node:fs", "only files of the worktree can be imported"),
    ("fs", "Cannot find module 'fs'"),
    ("./%2e%2e/%2e%2e/secret.mjs", "no such file; tried sub/%2e%2e/%2e%2e/secret.mjs"),
    ("..%2f..%2fsecret.mjs", "no such file; tried"),
    ("..\\\\..\\\\secret.mjs", "no such file; tried"),
    ("../fifo.js", "no such file; tried fifo.js"),
    ("../socket.js", "no such file; tried socket.js"),
];

#[test]
fn no_static_import_leads_out() {
    let world = World::new();
    let session = world.session(&json!({}), &[]);
    for (specifier, said) in SPECIFIERS {
        world.fails_as_module(&session, &format!("import '{specifier}'"), said);
        world.fails_as_module(&session, &format!("export * from '{specifier}'"), said);
    }
}

#[test]
fn no_dynamic_import_leads_out() {
    let world = World::new();
    let session = world.session(&json!({}), &[]);
    for (specifier, said) in SPECIFIERS {
        world.fails_as_module(&session, &format!("await import('{specifier}')"), said);
    }
    for (code, said) in [
        ("import('../secret.mjs')", "imported from <repl>: no such file; it leads out of the worktree"),
        ("import('./link.mjs')", "link.mjs leads out of the worktree"),
        ("import('./sub/../../secret.mjs')", "it leads out of the worktree"),
        ("eval(\"import('../secret.mjs')\")", "it leads out of the worktree"),
        ("(0, eval)(\"import('../secret.mjs') //# sourceURL=../../x.js\")", "it leads out of the worktree"),
        ("new Function(\"return import('../secret.mjs')\")()", "it leads out of the worktree"),
        ("import({ toString: () => '../secret.mjs' })", "it leads out of the worktree"),
        ("import(['../secret.mjs'])", "it leads out of the worktree"),
        ("import(new URL('file://$OUT/secret.mjs'))", "only files of the worktree can be imported"),
        ("import('./' + 'sub/../'.repeat(1000) + '../secret.mjs')", "it leads out of the worktree"),
        ("import('./' + 'x'.repeat(300))", "no such file; tried x"),
        ("import('./' + 'x/'.repeat(5000))", "no such file; tried x"),
        ("import('')", "Cannot find module ''"),
        ("import('?')", "Cannot find module '?'"),
        ("import('./nothing.mjs\\0/../../secret.mjs')", "no such file; tried nothing.mjs"),
        ("import('../secret.mjs\\0')", "it leads out of the worktree"),
    ] {
        world.fails(&session, code, said);
    }
    world.fails_as_module(
        &session,
        "await import(new URL('../../secret.mjs', import.meta.url))",
        "only files of the worktree can be imported",
    );
}

#[test]
fn no_json_module_is_read_outside() {
    let world = World::new();
    let session = world.session(&json!({}), &[]);
    for (specifier, said) in [
        ("../../secret.json", "it leads out of the worktree"),
        ("../link.json", "link.json leads out of the worktree"),
        ("../absolute.json", "leads out of the worktree"),
        ("../chain.json?x", "leads out of the worktree"),
        ("../folder/secret.json", "leads out of the worktree"),
        ("file://$OUT/secret.json", "only files of the worktree can be imported"),
        ("../link.txt", "leads out of the worktree"),
    ] {
        for attributes in ["", " with { type: 'json' }"] {
            let source = format!("import data from '{specifier}'{attributes}; console.log(data)");
            world.fails_as_module(&session, &source, said);
        }
        let source = format!("await import('{specifier}', {{ with: {{ type: 'json' }} }})");
        world.fails_as_module(&session, &source, said);
    }
}

#[test]
fn absolute_imports_begin_at_the_worktree_and_stay_there() {
    let world = World::new();
    let session = world.session(&json!({"resolver": {"allow_absolute_repo_imports": true}}), &[]);
    for (specifier, said) in [
        ("/../secret.mjs", "it leads out of the worktree"),
        ("/sub/../../secret.mjs", "it leads out of the worktree"),
        ("/link.mjs", "link.mjs leads out of the worktree"),
        ("/up/secret.mjs", "leads out of the worktree"),
        ("/etc/passwd", "no such file; tried etc/passwd"),
        ("$OUT/secret.mjs", "no such file; tried"),
        ("//..//secret.mjs", "it leads out of the worktree"),
    ] {
        world.fails_as_module(&session, &format!("import '{specifier}'"), said);
        world.fails_as_module(&session, &format!("await import('{specifier}')"), said);
    }
}

#[test]
fn a_root_of_the_resolver_that_is_a_symlink_out_opens_nothing() {
    let world = World::new();
    for root in ["up", "folder", "absolute-folder", "root", "proc-root", "sub/up"] {
        let session = world.session(&json!({"resolver": {"roots": [root]}}), &[]);
        world.fails_as_module(&session, "import 'secret.mjs'", "leads out of the worktree");
        world.fails(&session, "import('secret')", "leads out of the worktree");
    }
}
