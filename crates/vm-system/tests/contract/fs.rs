//! The module `fs`. How it keeps to the worktree is tested in the folder `confinement`.

use serde_json::json;

use crate::daemon::Daemon;

#[test]
fn every_function_does_its_work_in_the_worktree() {
    let daemon = Daemon::start();
    let session = daemon.session_with(&["fs"]);
    let worktree = daemon.worktree();
    for (code, preview) in [
        ("var fs = require('fs'); fs.writeFileSync('a.txt', 'héllo')", "undefined"),
        ("fs.readFileSync('a.txt', 'utf8')", "héllo"),
        ("fs.readFileSync('a.txt') instanceof Uint8Array", "true"),
        ("fs.readFileSync('a.txt').length", "6"),
        ("fs.readFileSync('a.txt', 'base64')", "aMOpbGxv"),
        ("fs.appendFileSync('a.txt', '!'); fs.readFileSync('a.txt', { encoding: 'utf8' })", "héllo!"),
        ("fs.writeFileSync('b.bin', new Uint8Array([0, 255])); fs.readFileSync('b.bin', 'hex')", "00ff"),
        (
            "fs.mkdirSync('sub'); fs.mkdirSync('deep/er', { recursive: true }); fs.readdirSync('.').join()",
            "a.txt,b.bin,deep,sub",
        ),
        ("fs.existsSync('sub') + ' ' + fs.existsSync('nothing')", "true false"),
        ("var stat = fs.statSync('b.bin'); [stat.isFile(), stat.isDirectory(), stat.size].join()", "true,false,2"),
        ("fs.statSync('sub').isDirectory()", "true"),
        ("fs.rmSync('b.bin'); fs.rmSync('deep', { recursive: true }); fs.readdirSync('.').join()", "a.txt,sub"),
        ("fs.rmSync('nothing', { force: true })", "undefined"),
    ] {
        assert_eq!(daemon.preview(&session, code), preview, "{code}");
    }
    assert_eq!(std::fs::read_to_string(worktree.join("a.txt")).unwrap(), "héllo!");
    let absolute = json!(worktree.join("a.txt"));
    assert_eq!(daemon.preview(&session, &format!("fs.readFileSync({absolute}, 'utf8')")), "héllo!");
}

#[test]
fn a_capability_of_kind_fs_opens_more_of_the_host() {
    let daemon = Daemon::start();
    let more = tempfile::tempdir().unwrap();
    std::fs::write(more.path().join("a.txt"), "more").unwrap();
    for (write, expected) in [(false, "EROFS"), (true, "written")] {
        let template = daemon.template_with(expected, &json!({}), &["fs"]);
        let grant = json!({"kind": "fs", "name": "more", "config": {"roots": [more.path()], "write": write}});
        daemon.post(&format!("/templates/{template}/capabilities"), &grant).ok(201);
        let session = daemon.session_of(&template);
        let file = json!(more.path().join("a.txt"));
        assert_eq!(daemon.preview(&session, &format!("require('fs').readFileSync({file}, 'utf8')")), "more");
        let code = format!("try {{ require('fs').appendFileSync({file}, ''); 'written' }} catch (e) {{ e.code }}");
        assert_eq!(daemon.preview(&session, &code), expected);
    }
}
