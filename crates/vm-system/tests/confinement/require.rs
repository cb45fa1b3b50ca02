//! `require`.

use serde_json::json;

use crate::world::World;

#[test]
fn no_specifier_leads_out() {
    let world = World::new();
    let session = world.session(&json!({}), &[]);
    for (specifier, said) in [
        ("../secret", "Invalid module '../secret': it leads out of the worktree"),
        ("../secret.js", "it leads out of the worktree"),
        ("../secret.json", "it leads out of the worktree"),
        ("..", "it leads out of the worktree"),
        ("../", "it leads out of the worktree"),
        ("../folder", "it leads out of the worktree"),
        ("../into/inside.js", "it leads out of the worktree"),
        ("./../secret.js", "it leads out of the worktree"),
        ("./sub/../../secret.js", "it leads out of the worktree"),
        ("./inside.js/../../secret.js", "it leads out of the worktree"),
        ("./nothing/../../secret.js", "it leads out of the worktree"),
        (".//..//secret.js", "it leads out of the worktree"),
        ("./link", "leads out of the worktree"),
        ("./link.js", "leads out of the worktree"),
        ("./link.json", "leads out of the worktree"),
        ("./link.txt", "leads out of the worktree"),
        ("./absolute.js", "leads out of the worktree"),
        ("./chain.js", "leads out of the worktree"),
        ("./dangling.js", "leads out of the worktree"),
        ("./and-back.js", "leads out of the worktree"),
        ("./loop.js", "no such file; tried loop.js"),
        ("./up/secret.js", "leads out of the worktree"),
        ("./sub/up/secret.js", "leads out of the worktree"),
        ("./folder", "leads out of the worktree"),
        ("./folder/index.js", "leads out of the worktree"),
        ("./absolute-folder/secret", "leads out of the worktree"),
        ("./back/inside.js", "leads out of the worktree"),
        ("./root/etc/passwd", "leads out of the worktree"),
        ("./proc-root/etc/passwd", "leads out of the worktree"),
        ("./proc-cwd/x.db", "leads out of the worktree"),
        ("./proc-fd/0", "leads out of the worktree"),
        ("$OUT/secret.js", "files of the worktree, which start with ./ or ../"),
        ("$WORK/inside.js", "files of the worktree, which start with ./ or ../"),
        ("$WORK/../secret.js", "files of the worktree, which start with ./ or ../"),
        ("/", "files of the worktree, which start with ./ or ../"),
        ("file://$OUT/secret.js", "files of the worktree, which start with ./ or ../"),
        ("file:../secret.js", "files of the worktree, which start with ./ or ../"),
        ("node:fs", "files of the worktree, which start with ./ or ../"),
        ("secret", "files of the worktree, which start with ./ or ../"),
        ("sub/../../secret.js", "files of the worktree, which start with ./ or ../"),
        ("..\\\\secret.js", "files of the worktree, which start with ./ or ../"),
        ("./..\\\\secret.js", "no such file; tried"),
        ("./%2e%2e/secret.js", "no such file; tried"),
        ("./..%2fsecret.js", "no such file; tried"),
        ("./inside.js?/../../secret.js", "it leads out of the worktree"),
        ("./fifo.js", "no such file; tried fifo.js"),
        ("./socket.js", "no such file; tried socket.js"),
        ("./\\0/../../secret.js", "it leads out of the worktree"),
        ("./inside.js\\0", "has a NUL character"),
        ("../secret.js\\0.js", "it leads out of the worktree"),
        ("fs", "it is not enabled for this session"),
        ("exec", "it is not enabled for this session"),
        ("database", "it is not enabled for this session"),
    ] {
        world.fails(&session, &format!("require('{specifier}')"), said);
    }
}

#[test]
fn no_trick_with_the_function_leads_out() {
    let world = World::new();
    let session = world.session(&json!({}), &[]);
    std::fs::write(world.work().join("sub/tools.js"), "module.exports = { require, module }").unwrap();
    for (code, said) in [
        ("require.call({ path: '../../x.js' }, './secret.js')", "no such file"),
        ("require({ toString: () => '../secret.js' })", "require takes a string, not object"),
        ("require(['../secret.js'])", "require takes a string, not object"),
        ("require(Object('../secret.js'))", "require takes a string, not object"),
        ("require('./' + 'sub/../'.repeat(1000) + '../secret.js')", "it leads out of the worktree"),
        ("require('./' + 'x'.repeat(300))", "no such file; tried x"),
        ("require('./' + 'x/'.repeat(5000))", "no such file; tried x"),
        ("var tools = require('./sub/tools'); tools.require('../../secret.js')", "it leads out of the worktree"),
        (
            "tools.module.filename = '$OUT/x.js'; tools.module.id = '../x.js'; tools.require('./secret.js')",
            "no such file",
        ),
        ("tools.module.require('./up/secret.js')", "leads out of the worktree"),
        ("eval(\"require('../secret.js')\")", "it leads out of the worktree"),
        ("new Function(\"return require('../secret.js')\")()", "it leads out of the worktree"),
        ("(0, eval)(\"require('./secret.js') //# sourceURL=../../x.js\")", "no such file"),
        ("String.prototype.startsWith = () => true; require('$OUT/secret.js')", "files of the worktree"),
        ("Map.prototype.get = () => ({ exports: 1 }); require('../secret.js')", "it leads out of the worktree"),
    ] {
        world.fails(&session, code, said);
    }
}
