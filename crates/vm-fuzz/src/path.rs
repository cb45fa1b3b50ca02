//! Paths of the worktree and module specifiers: two lines, the file that asks and what it asks for. Whatever they are,
//! nothing outside of the worktree is read.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Component, Path},
    sync::{Arc, LazyLock},
};

use tempfile::TempDir;
use vm_model::Resolver;
use vm_modules::{Loader, Worktree, catalog::CATALOG, loader::Found, normalise};

const MAX_BYTES: u64 = 1 << 16;
const SECRET: &str = "outside";

struct World {
    worktree: Arc<Worktree>,
    loader: Loader,
    /// Removed with the process's last breath, if at all.
    _folder: TempDir,
}

/// A worktree with files, a way out, and a secret beside it.
static WORLD: LazyLock<World> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    fs::create_dir_all(work.join("lib/deep")).unwrap();
    fs::write(folder.path().join("secret.js"), SECRET).unwrap();
    for file in ["a.js", "lib/index.js", "lib/deep/b.mjs", "lib/deep/c.json", "lib/ä b.js"] {
        fs::write(work.join(file), "inside").unwrap();
    }
    symlink("..", work.join("up")).unwrap();
    symlink("../secret.js", work.join("link.js")).unwrap();
    symlink("lib/deep/b.mjs", work.join("fine.mjs")).unwrap();
    let worktree = Arc::new(Worktree::open(&work).unwrap());
    let resolver = Resolver { roots: vec!["lib".into()], allow_absolute_repo_imports: true, ..Resolver::default() };
    let loader = Loader::new(worktree.clone(), resolver, CATALOG.iter().collect(), MAX_BYTES);
    World { worktree, loader, _folder: folder }
});

/// Looks for a path, and resolves a specifier.
///
/// # Panics
/// What came of it is wrong.
pub fn check(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (importer, specifier) = text.split_once('\n').unwrap_or(("a.js", text));
    check_path(importer);
    check_path(specifier);
    let loader = &WORLD.loader;
    if let Ok(name) = loader.resolve(importer, specifier) {
        assert_inside(loader.load(&name).unwrap().as_bytes());
        assert!(loader.url(&name).starts_with("file:///"));
        // what a module is called means the module
        assert_eq!(loader.resolve(importer, &loader.url(&name)).as_ref(), Ok(&name));
    }
    if let Ok(Found::Path(path)) = loader.require(importer, specifier) {
        assert_inside(loader.read(&path).unwrap().source.as_bytes());
    }
    // names come back from the guest as well
    if let Ok(source) = loader.load(specifier) {
        assert_inside(source.as_bytes());
    }
}

fn check_path(path: &str) {
    if let Ok(normal) = normalise(path) {
        assert_eq!(normalise(&normal).as_ref(), Ok(&normal));
        assert!(Path::new(&normal).components().all(|part| matches!(part, Component::Normal(_))), "{normal}");
    }
    let is_file = WORLD.worktree.is_file(path);
    let read = WORLD.worktree.read(path, MAX_BYTES);
    assert_eq!(matches!(is_file, Ok(true)), read.is_ok(), "{path:?}");
    if let Ok(bytes) = read {
        assert_inside(&bytes);
    }
}

fn assert_inside(content: &[u8]) {
    assert_eq!(content, b"inside");
}
