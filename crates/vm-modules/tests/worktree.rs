//! Nothing outside a worktree is read, and nothing in it is mistaken.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

use std::{fs, os::unix::fs::symlink};

use proptest::prelude::*;
use tempfile::TempDir;
use vm_modules::{Worktree, WorktreeError, normalise};

fn folder() -> (TempDir, Worktree) {
    let outer = tempfile::tempdir().unwrap();
    let inner = outer.path().join("work");
    fs::create_dir_all(inner.join("sub")).unwrap();
    fs::write(outer.path().join("secret.js"), "secret").unwrap();
    fs::write(inner.join("sub/a.js"), "in sub").unwrap();
    let worktree = Worktree::open(&inner).unwrap();
    (outer, worktree)
}

#[test]
fn files_inside_are_read_also_through_symlinks_that_stay_inside() {
    let (outer, worktree) = folder();
    symlink("sub/a.js", outer.path().join("work/link.js")).unwrap();
    symlink("sub", outer.path().join("work/folder")).unwrap();
    for path in ["sub/a.js", "./sub//a.js", "link.js", "folder/a.js"] {
        assert_eq!(worktree.read(path, 100).unwrap(), b"in sub", "{path}");
    }
    assert_eq!(worktree.read("sub/a.js", 2).unwrap(), b"in");
}

#[test]
fn no_path_leads_out() {
    let (outer, worktree) = folder();
    let work = outer.path().join("work");
    symlink("../secret.js", work.join("up.js")).unwrap();
    symlink(outer.path().join("secret.js"), work.join("absolute.js")).unwrap();
    symlink("..", work.join("parent")).unwrap();
    symlink("parent", work.join("chain")).unwrap();
    let absolute = outer.path().join("secret.js");
    for path in [
        absolute.to_str().unwrap(),
        "../secret.js",
        "sub/../../secret.js",
        "sub/../sub/a.js",
        "..",
        "/",
        "up.js",
        "absolute.js",
        "parent/secret.js",
        "chain/secret.js",
        "a\0b.js",
        "",
        ".",
    ] {
        let result = worktree.read(path, 100);
        assert!(matches!(result, Err(WorktreeError::Outside(_))), "{path:?}: {result:?}");
    }
}

#[test]
fn what_is_no_regular_file_is_not_found() {
    let (outer, worktree) = folder();
    let work = outer.path().join("work");
    rustix::fs::mknodat(rustix::fs::CWD, work.join("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(work.join("socket")).unwrap();
    symlink("nowhere", work.join("dangling")).unwrap();
    for path in ["missing.js", "sub", "sub/a.js/b.js", "pipe", "socket", "dangling"] {
        let result = worktree.read(path, 100);
        assert!(matches!(result, Err(WorktreeError::NotFound)), "{path:?}: {result:?}");
    }
}

#[test]
fn a_symlink_that_changes_between_two_opens_never_leads_out() {
    let (outer, worktree) = folder();
    let link = outer.path().join("work/swap.js");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                for target in ["sub/a.js", "../secret.js"] {
                    let _ = fs::remove_file(&link);
                    symlink(target, &link).unwrap();
                }
            }
        });
        for _ in 0..5000 {
            if let Ok(bytes) = worktree.read("swap.js", 100) {
                assert_eq!(bytes, b"in sub");
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

proptest! {
    #[test]
    fn a_normalised_path_stays_as_it_is(path in "[a-z./\\x00-\\x7f]{0,30}") {
        if let Ok(normal) = normalise(&path) {
            prop_assert_eq!(normalise(&normal), Ok(normal.clone()));
            prop_assert!(!normal.starts_with('/'));
            prop_assert!(!normal.split('/').any(|part| part.is_empty() || part == "." || part == ".."));
        }
    }
}
