//! `fs` behaves as Node's does.

mod support;

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    sync::atomic::{AtomicU32, Ordering},
};

use rmpv::Value;
use support::{
    MAX_BYTES, Session,
    files::{grants, read, remove, session, write},
    list, options, property, text,
};
use vm_modules::FsRoot;

#[test]
fn files_are_written_and_read() {
    let mut session = session();
    write(&mut session, "a.txt", "one é").unwrap();
    session.call("fs.appendFileSync", &[text("a.txt"), Value::Binary(vec![0xff])]).unwrap();
    assert_eq!(fs::read(session.path("a.txt")).unwrap(), b"one \xc3\xa9\xff");
    assert_eq!(read(&mut session, "a.txt").unwrap(), text("one é\u{fffd}"));
    let absolute = session.path("a.txt").to_str().unwrap().to_string();
    for path in ["a.txt", "./a.txt", ".//x/../a.txt", absolute.as_str()] {
        let _ = fs::create_dir(session.path("x"));
        let bytes = session.call("fs.readFileSync", &[text(path)]).unwrap();
        assert_eq!(bytes, Value::Binary(b"one \xc3\xa9\xff".to_vec()), "{path}");
        assert_eq!(session.call("fs.existsSync", &[text(path)]).unwrap(), true.into());
    }
    write(&mut session, "a.txt", "").unwrap();
    assert_eq!(read(&mut session, "a.txt").unwrap(), text(""));
    let hex = options(&[("encoding", text("hex"))]);
    session.call("fs.writeFileSync", &[text("b"), text("00ff"), hex.clone()]).unwrap();
    assert_eq!(session.call("fs.readFileSync", &[text("b")]).unwrap(), Value::Binary(vec![0, 255]));
    assert_eq!(session.call("fs.readFileSync", &[text("b"), hex]).unwrap(), text("00ff"));
}

#[test]
fn folders_are_made_listed_described_and_removed() {
    let mut session = session();
    let recursive = options(&[("recursive", true.into())]);
    session.call("fs.mkdirSync", &[text("a")]).unwrap();
    session.call("fs.mkdirSync", &[text("a/b/c"), recursive.clone()]).unwrap();
    session.call("fs.mkdirSync", &[text("a/b/c/"), recursive.clone()]).unwrap();
    for name in ["a/z", "a/y", "a/b/c/x"] {
        write(&mut session, name, "123").unwrap();
    }
    symlink("y", session.path("a/link")).unwrap();
    let names = session.call("fs.readdirSync", &[text("a")]).unwrap();
    assert_eq!(names, list(vec![text("b"), text("link"), text("y"), text("z")]));
    let stat = session.call("fs.statSync", &[text("a/link")]).unwrap();
    assert_eq!((property(&stat, "type"), property(&stat, "size")), (&text("file"), &3.into()));
    let modified = fs::metadata(session.path("a/y")).unwrap().modified().unwrap();
    let ms = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64() * 1e3;
    assert!((property(&stat, "mtimeMs").as_f64().unwrap() - ms).abs() < 1.0);
    let stat = session.call("fs.statSync", &[text("a")]).unwrap();
    assert_eq!(property(&stat, "type"), &text("directory"));
    session.call("fs.rmSync", &[text("a/link")]).unwrap();
    assert!(session.path("a/y").exists());
    session.call("fs.rmSync", &[text("a"), recursive]).unwrap();
    assert!(!session.path("a").exists());
    remove(&mut session, "a").unwrap();
}

#[test]
fn errors_are_worded_as_nodes() {
    let mut session = session();
    write(&mut session, "file", "").unwrap();
    fs::create_dir_all(session.path("folder/inner")).unwrap();
    for (function, path, code, message) in [
        ("fs.readFileSync", "x.txt", "ENOENT", "ENOENT: no such file or directory, open 'x.txt'"),
        ("fs.readFileSync", "folder", "EISDIR", "EISDIR: illegal operation on a directory, read 'folder'"),
        ("fs.readFileSync", "file/x", "ENOTDIR", "ENOTDIR: not a directory, open 'file/x'"),
        ("fs.readFileSync", "", "ENOENT", "ENOENT: no such file or directory, open ''"),
        ("fs.readdirSync", "file", "ENOTDIR", "ENOTDIR: not a directory, scandir 'file'"),
        ("fs.readdirSync", "x", "ENOENT", "ENOENT: no such file or directory, scandir 'x'"),
        ("fs.mkdirSync", "folder", "EEXIST", "EEXIST: file already exists, mkdir 'folder'"),
        ("fs.mkdirSync", "x/y", "ENOENT", "ENOENT: no such file or directory, mkdir 'x/y'"),
        ("fs.statSync", "x", "ENOENT", "ENOENT: no such file or directory, stat 'x'"),
        ("fs.rmSync", "x", "ENOENT", "ENOENT: no such file or directory, rm 'x'"),
        (
            "fs.rmSync",
            "folder",
            "ERR_FS_EISDIR",
            "ERR_FS_EISDIR: Path is a directory: rm returned EISDIR (is a directory), rm 'folder'",
        ),
    ] {
        let error = session.call(function, &[text(path)]).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (code, message));
        assert_eq!(error.path.as_deref(), Some(path));
    }
    assert_eq!(write(&mut session, "folder", "").unwrap_err().code, "EISDIR");
    assert_eq!(write(&mut session, &"n".repeat(300), "").unwrap_err().code, "ENAMETOOLONG");
    let encoded = rmpv::decode::read_value(&mut read(&mut session, "x").unwrap_err().encode().as_slice()).unwrap();
    assert_eq!((property(&encoded, "code"), property(&encoded, "syscall")), (&text("ENOENT"), &text("open")));
    assert_eq!(encoded.as_map().unwrap().len(), 4);
}

#[test]
fn wrong_arguments_are_named() {
    let mut session = session();
    write(&mut session, "a", "").unwrap();
    for (function, arguments, code) in [
        ("fs.readFileSync", vec![], "ERR_INVALID_ARG_TYPE"),
        ("fs.readFileSync", vec![1.into()], "ERR_INVALID_ARG_TYPE"),
        ("fs.readFileSync", vec![text("a\0b")], "ERR_INVALID_ARG_VALUE"),
        ("fs.readFileSync", vec![text("a"), text("utf17")], "ERR_INVALID_ARG_VALUE"),
        ("fs.readFileSync", vec![text("a"), 1.into()], "ERR_INVALID_ARG_TYPE"),
        ("fs.writeFileSync", vec![text("a")], "ERR_INVALID_ARG_TYPE"),
        ("fs.writeFileSync", vec![text("a"), options(&[])], "ERR_INVALID_ARG_TYPE"),
        ("fs.mkdirSync", vec![text("b"), true.into()], "ERR_INVALID_ARG_TYPE"),
        ("fs.rmSync", vec![text("a"), options(&[("force", 1.into())])], "ERR_INVALID_ARG_TYPE"),
    ] {
        let error = session.call(function, &arguments).unwrap_err();
        assert_eq!(error.code, code, "{function} {arguments:?}: {error}");
        assert!(error.message.contains(function), "{error}");
    }
    let surplus = [text("a"), Value::Nil, text("surplus")];
    assert_eq!(session.call("fs.readFileSync", &surplus).unwrap(), Value::Binary(vec![]));
    for nothing in [vec![], vec![Value::Nil], vec![text("a\0b")], vec![text("")], vec![text("../secret")]] {
        assert_eq!(session.call("fs.existsSync", &nothing).unwrap(), false.into());
    }
}

#[test]
fn files_that_are_too_large_or_endless_are_errors() {
    let mut session = Session::new(grants(vec![FsRoot { path: "/proc/self".into(), write: false }]));
    write(&mut session, "large", "").unwrap();
    fs::File::options().write(true).open(session.path("large")).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(read(&mut session, "large").unwrap_err().code, "ERR_FS_FILE_TOO_LARGE");
    fs::write(session.path("fits"), vec![b'x'; MAX_BYTES as usize - 5]).unwrap();
    assert!(read(&mut session, "fits").is_ok());
    let error = session.call("fs.readFileSync", &[text("fits"), text("hex")]).unwrap_err();
    assert_eq!(error.code, "ERR_BUFFER_TOO_LARGE");
    assert!(read(&mut session, "/proc/self/status").unwrap().as_str().unwrap().contains("Name:"));
    assert!(read(&mut session, "/proc/self/mem").is_err());
}

#[test]
fn long_work_ends_with_the_execution() {
    let mut session = session();
    for folder in 0..20 {
        fs::create_dir(session.path(&folder.to_string())).unwrap();
    }
    write(&mut session, "large", "").unwrap();
    for (function, arguments) in [
        ("fs.readFileSync", vec![text("large")]),
        ("fs.writeFileSync", vec![text("new"), Value::Binary(vec![0; 20 << 20])]),
        ("fs.readdirSync", vec![text(".")]),
        ("fs.rmSync", vec![text("0"), options(&[("recursive", true.into())])]),
    ] {
        let asked = AtomicU32::new(0);
        let is_stopped = || asked.fetch_add(1, Ordering::Relaxed) > 0;
        let error = session.call_until(&is_stopped, function, &arguments).unwrap_err();
        assert_eq!(error.code, "ERR_CANCELLED", "{function}");
    }
    assert!(session.call_until(&|| true, "fs.existsSync", &[text("large")]).is_err());
}

#[test]
fn deep_trees_are_an_error_and_not_an_overflow() {
    let mut session = session();
    let deep = "d/".repeat(1000);
    session.call("fs.mkdirSync", &[text(&deep), options(&[("recursive", true.into())])]).unwrap();
    assert_eq!(remove(&mut session, "d").unwrap_err().code, "EMFILE");
}

#[test]
fn what_may_not_be_read_stays_unread() {
    let mut session = session();
    write(&mut session, "locked", "x").unwrap();
    fs::set_permissions(session.path("locked"), fs::Permissions::from_mode(0o000)).unwrap();
    // the superuser may read everything
    if fs::read(session.path("locked")).is_err() {
        let error = read(&mut session, "locked").unwrap_err();
        assert_eq!(error.message, "EACCES: permission denied, open 'locked'");
    }
}
