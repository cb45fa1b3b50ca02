//! `fs` behaves as Node's does, and the kernel keeps it in its folders.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod support;

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use proptest::prelude::*;
use rmpv::Value;
use support::{MAX_BYTES, Session, list, options, property, text};
use vm_modules::{DatabaseGrant, ExecGrant, FsGrant, FsRoot, Grants, NativeError, Natives, Worktree};

fn grants(roots: Vec<FsRoot>) -> Grants {
    Grants { fs: Some(FsGrant { roots }), ..Grants::default() }
}

fn session() -> Session {
    Session::new(grants(vec![]))
}

fn read(session: &mut Session, path: &str) -> Result<Value, NativeError> {
    session.call("fs.readFileSync", &[text(path), text("utf8")])
}

fn write(session: &mut Session, path: &str, data: &str) -> Result<Value, NativeError> {
    session.call("fs.writeFileSync", &[text(path), text(data)])
}

fn remove(session: &mut Session, path: &str) -> Result<Value, NativeError> {
    session.call("fs.rmSync", &[text(path), options(&[("recursive", true.into()), ("force", true.into())])])
}

/// Every way to touch a path, with what it answers.
fn touch(session: &mut Session, path: &str) -> Vec<Result<Value, NativeError>> {
    let recursive = options(&[("recursive", true.into())]);
    let calls: [(&str, Vec<Value>); 8] = [
        ("fs.readFileSync", vec![text(path)]),
        ("fs.readdirSync", vec![text(path)]),
        ("fs.statSync", vec![text(path)]),
        ("fs.writeFileSync", vec![text(path), text("x")]),
        ("fs.appendFileSync", vec![text(path), text("x")]),
        ("fs.mkdirSync", vec![text(path)]),
        ("fs.mkdirSync", vec![text(path), recursive.clone()]),
        ("fs.rmSync", vec![text(path), recursive]),
    ];
    calls.iter().map(|(function, arguments)| session.call(function, arguments)).collect()
}

fn make_pipe(path: &Path) {
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
}

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
fn no_path_leads_out() {
    let mut session = session();
    let secret = session.outside("secret");
    symlink("../secret", session.path("up")).unwrap();
    symlink(&secret, session.path("absolute")).unwrap();
    symlink("..", session.path("parent")).unwrap();
    symlink("parent", session.path("chain")).unwrap();
    symlink("../new", session.path("dangling")).unwrap();
    fs::create_dir(session.path("sub")).unwrap();
    let inside = session.path("").to_str().unwrap().to_string();
    for path in [
        secret.to_str().unwrap(),
        &format!("{inside}/../secret"),
        &format!("{inside}x/secret"),
        "../secret",
        "sub/../../secret",
        "parent/secret",
        "chain/secret",
        "chain/new",
        "parent/new/deep",
        "/",
        "/etc/passwd",
        "/proc/self/root/etc/passwd",
    ] {
        for result in touch(&mut session, path) {
            assert_eq!(result.unwrap_err().code, "EACCES", "{path}");
        }
    }
    // a symlink itself can be removed and is in the way of a folder, but is not followed
    for path in ["up", "absolute", "dangling"] {
        let mut results = touch(&mut session, path);
        results.remove(7).unwrap();
        assert!(results.into_iter().all(|result| ["EACCES", "EEXIST"].contains(&result.unwrap_err().code)), "{path}");
    }
    let error = read(&mut session, "../secret").unwrap_err();
    assert!(error.message.contains("leads out of the worktree"), "{error}");
    assert_eq!(fs::read(&secret).unwrap(), b"secret");
    let mut names: Vec<_> =
        fs::read_dir(session.outside("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["secret", "work"]);
}

#[test]
fn a_symlink_that_changes_meanwhile_never_leads_out() {
    let mut session = session();
    fs::create_dir(session.path("in")).unwrap();
    fs::create_dir(session.outside("out")).unwrap();
    for folder in [session.path("in"), session.outside("out")] {
        fs::write(folder.join("file"), folder.file_name().unwrap().to_str().unwrap()).unwrap();
    }
    let (swap, stop) = (session.path("swap"), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for target in ["in", "../out"] {
                    let _ = fs::remove_file(&swap);
                    symlink(target, &swap).unwrap();
                }
            }
        });
        for count in 0..3000 {
            if let Ok(content) = read(&mut session, "swap/file") {
                assert_eq!(content, text("in"));
            }
            let _ = write(&mut session, &format!("swap/{count}"), "x");
            let _ = session.call("fs.rmSync", &[text("swap/file")]);
            let _ = write(&mut session, "in/file", "in");
        }
        stop.store(true, Ordering::Relaxed);
    });
    let names: Vec<_> = fs::read_dir(session.outside("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["file"]);
    assert_eq!(fs::read(session.outside("out/file")).unwrap(), b"out");
}

#[test]
fn removing_a_tree_does_not_follow_what_becomes_a_symlink() {
    let mut session = session();
    fs::create_dir_all(session.outside("out/deep")).unwrap();
    fs::write(session.outside("out/deep/kept"), "").unwrap();
    for _ in 0..300 {
        fs::create_dir_all(session.path("tree/deep")).unwrap();
        fs::write(session.path("tree/deep/file"), "").unwrap();
        std::thread::scope(|scope| {
            let tree = session.path("tree");
            scope.spawn(move || {
                let _ = fs::rename(tree.join("deep"), tree.join("moved"));
                let _ = symlink("../../out/deep", tree.join("deep"));
            });
            let _ = remove(&mut session, "tree");
        });
        let _ = fs::remove_dir_all(session.path("tree"));
    }
    assert!(session.outside("out/deep/kept").exists());
}

#[test]
fn the_worktree_itself_stays() {
    let mut session = session();
    write(&mut session, "file", "").unwrap();
    fs::create_dir(session.path("sub")).unwrap();
    let absolute = session.path("").to_str().unwrap().to_string();
    for path in [".", "./", "sub/..", "sub/../.", "..", absolute.as_str(), &format!("{absolute}/")] {
        let error = remove(&mut session, path).unwrap_err();
        assert!(["EBUSY", "EACCES"].contains(&error.code), "{path}: {error}");
    }
    assert!(session.path("file").exists());
}

#[test]
fn pipes_sockets_and_devices_are_refused_at_once() {
    let mut session = session();
    make_pipe(&session.path("pipe"));
    let _socket = UnixListener::bind(session.path("socket")).unwrap();
    for path in ["pipe", "socket"] {
        for function in ["fs.readFileSync", "fs.writeFileSync", "fs.appendFileSync"] {
            let error = session.call(function, &[text(path), text("utf8")]).unwrap_err();
            assert!(["EINVAL", "ENXIO"].contains(&error.code), "{function} {path}: {error}");
        }
        let stat = session.call("fs.statSync", &[text(path)]).unwrap();
        assert_eq!(property(&stat, "type"), &text("other"));
    }
    let dev = FsRoot { path: "/dev".into(), write: true };
    let mut session = Session::new(grants(vec![dev]));
    assert_eq!(read(&mut session, "/dev/zero").unwrap_err().code, "EINVAL");
    assert_eq!(write(&mut session, "/dev/null", "x").unwrap_err().code, "EINVAL");
}

#[test]
fn granted_folders_are_open_and_nothing_beside_them() {
    let outer = tempfile::tempdir().unwrap();
    for folder in ["data/inner", "data2"] {
        fs::create_dir_all(outer.path().join(folder)).unwrap();
        fs::write(outer.path().join(folder).join("file"), folder).unwrap();
    }
    let root = |name: &str, write| FsRoot { path: outer.path().join(name), write };
    let roots = vec![root("data", false), root("data/inner", true)];
    let path = |name: &str| outer.path().join(name).to_str().unwrap().to_string();
    let (file, new) = (path("data/inner/file"), path("data/new"));
    let (within, beside, above) = (path("data/inner/../x"), path("data2/file"), path("data/../data2/file"));
    let mut session = Session::new(grants(roots));
    assert_eq!(read(&mut session, &file).unwrap(), text("data/inner"));
    write(&mut session, &file, "changed").unwrap();
    for refused in [&new, &path("data/inner2")] {
        assert_eq!(write(&mut session, refused, "x").unwrap_err().code, "EROFS");
        assert_eq!(remove(&mut session, refused).unwrap_err().code, "EROFS");
        assert_eq!(session.call("fs.mkdirSync", &[text(refused)]).unwrap_err().code, "EROFS");
    }
    for refused in [&within, &beside, &above] {
        assert_eq!(read(&mut session, refused).unwrap_err().code, "EACCES", "{refused}");
    }
    let names = session.call("fs.readdirSync", &[text(&path("data"))]).unwrap();
    assert_eq!(names, list(vec![text("inner")]));
    assert_eq!(remove(&mut session, &path("data/inner")).unwrap_err().code, "EBUSY");
}

#[test]
fn a_folder_that_cannot_be_granted_is_named() {
    let outer = tempfile::tempdir().unwrap();
    let worktree = std::sync::Arc::new(Worktree::open(outer.path()).unwrap());
    for (path, message) in [
        ("/no/such/folder", "a capability of kind fs grants the folder \"/no/such/folder\", which cannot be opened"),
        ("relative", "a capability of kind fs grants the folder \"relative\", which is not absolute"),
    ] {
        let grants = grants(vec![FsRoot { path: path.into(), write: false }]);
        let error = Natives::new(worktree.clone(), &grants).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
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

#[test]
fn what_is_not_granted_is_not_there() {
    let mut session = Session::new(Grants::default());
    for function in ["fs.readFileSync", "exec.run", "database.query", "net.get", "fs", "", ".", "fs.", "a.b.c"] {
        assert_eq!(session.call(function, &[text("a")]).unwrap_err().code, "ERR_UNKNOWN_FUNCTION", "{function}");
    }
    let mut session = self::session();
    for function in ["fs.openSync", "fs.readFileSync.x", "exec.run", "database.exec"] {
        assert_eq!(session.call(function, &[text("a")]).unwrap_err().code, "ERR_UNKNOWN_FUNCTION", "{function}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z./\\x00;%' é]{0,12}".prop_map(Value::from),
        any::<Vec<u8>>().prop_map(Value::Binary),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec(("encoding|recursive|force|x".prop_map(Value::from), inner), 0..3)
                .prop_map(Value::Map),
        ]
    })
}

const FUNCTIONS: [&str; 12] = [
    "fs.readFileSync",
    "fs.writeFileSync",
    "fs.appendFileSync",
    "fs.existsSync",
    "fs.readdirSync",
    "fs.mkdirSync",
    "fs.statSync",
    "fs.rmSync",
    "database.configure",
    "database.query",
    "database.exec",
    "exec.run",
];

proptest! {
    #[test]
    fn no_bytes_and_no_arguments_make_it_panic(
        bytes in any::<Vec<u8>>(),
        arguments in prop::collection::vec(any_value(), 0..4),
        function in prop::sample::select(FUNCTIONS.to_vec()),
    ) {
        let mut session = Session::new(Grants {
            fs: Some(FsGrant::default()),
            exec: Some(ExecGrant { allow: Some(vec![]) }),
            database: Some(DatabaseGrant::default()),
        });
        let _ = session.call_raw(function, &bytes);
        let _ = session.call(function, &arguments);
        session.call("database.configure", &[text("sqlite"), text(":memory:")]).unwrap();
        let _ = session.call(function, &arguments);
        let secret = fs::read(session.outside("secret"));
        prop_assert_eq!(secret.unwrap(), b"secret");
    }
}
