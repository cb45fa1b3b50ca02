//! Where a path leads: into the worktree, or into a folder that is granted beside it.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use cap_std::{ambient_authority, fs::Dir};

use super::{FsGrant, FsRoot, GrantError, NativeError};
use crate::Worktree;

/// The folders of a session.
pub(super) struct Places {
    worktree: Arc<Worktree>,
    roots: Vec<Root>,
}

struct Root {
    path: PathBuf,
    write: bool,
    folder: Dir,
}

/// A path beneath an open folder. Only the kernel follows it, and only beneath that folder.
pub(super) struct Place<'a> {
    pub folder: &'a Dir,
    pub path: &'a Path,
    /// As the script wrote it, for messages.
    pub shown: &'a str,
    pub is_writable: bool,
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roots = self.roots.iter().map(|root| &root.path);
        f.debug_list().entry(&self.worktree.path()).entries(roots).finish()
    }
}

impl Places {
    pub fn open(worktree: Arc<Worktree>, grant: &FsGrant) -> Result<Self, GrantError> {
        let mut roots = grant.roots.iter().map(Root::open).collect::<Result<Vec<_>, _>>()?;
        // of a folder and one within it, the inner one decides
        roots.sort_by_key(|root| std::cmp::Reverse(root.path.components().count()));
        Ok(Self { worktree, roots })
    }

    pub fn find<'a>(&'a self, path: &'a str, syscall: &'static str) -> Result<Place<'a>, NativeError> {
        if path.is_empty() {
            return Err(NativeError::about_path("ENOENT", "no such file or directory", syscall, path));
        }
        if let Some(beneath) = self.worktree.beneath(path) {
            return Ok(Place { folder: self.worktree.folder(), path: beneath, shown: path, is_writable: true });
        }
        for root in &self.roots {
            if let Ok(beneath) = Path::new(path).strip_prefix(&root.path) {
                return Ok(Place {
                    folder: &root.folder,
                    path: or_itself(beneath),
                    shown: path,
                    is_writable: root.write,
                });
            }
        }
        Err(NativeError::outside(syscall, path))
    }

    /// The same, where something is to be changed.
    pub fn find_writable<'a>(&'a self, path: &'a str, syscall: &'static str) -> Result<Place<'a>, NativeError> {
        let place = self.find(path, syscall)?;
        if place.is_writable {
            return Ok(place);
        }
        let text = "the folder is granted for reading only (its capability of kind fs has no \"write\": true)";
        Err(NativeError::about_path("EROFS", text, syscall, path))
    }
}

impl Root {
    fn open(root: &FsRoot) -> Result<Self, GrantError> {
        let path = root.path.clone();
        if !path.is_absolute() {
            return Err(GrantError::Relative(path));
        }
        match Dir::open_ambient_dir(&path, ambient_authority()) {
            Ok(folder) => Ok(Self { path, write: root.write, folder }),
            Err(why) => Err(GrantError::Folder { path, why }),
        }
    }
}

/// The folder itself is `.` to the kernel.
fn or_itself(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
