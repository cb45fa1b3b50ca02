//! The kernel keeps `fs` in its folders.

mod support;

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    sync::atomic::{AtomicBool, Ordering},
};

use rmpv::Value;
use support::{
    Session,
    files::{grants, read, remove, session, write},
    list, options, property, text,
};
use vm_modules::{FsRoot, NativeError, Natives, Worktree};

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
    rustix::fs::mknodat(rustix::fs::CWD, session.path("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
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
