//! What a session's native modules may do.

use std::{io, path::PathBuf};

/// The modules that a session has; an absent one is not there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grants {
    /// Files.
    pub fs: Option<FsGrant>,
    /// Commands.
    pub exec: Option<ExecGrant>,
    /// SQLite.
    pub database: Option<DatabaseGrant>,
}

/// The worktree, readable and writable, and what is named here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FsGrant {
    /// Folders beyond the worktree.
    pub roots: Vec<FsRoot>,
}

/// A folder with everything in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FsRoot {
    /// Absolute.
    pub path: PathBuf,
    /// Whether it may be changed, too.
    pub write: bool,
}

/// Commands in the worktree.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExecGrant {
    /// The commands, as the script has to write them; `None` is every command.
    pub allow: Option<Vec<String>>,
}

/// SQLite databases in the worktree and in memory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DatabaseGrant {
    /// Whether every change is refused.
    pub read_only: bool,
}

/// Why a session cannot have what it is granted.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// A folder beyond the worktree is not to be opened.
    #[error("a capability of kind fs grants the folder {path:?}, which cannot be opened: {why}")]
    Folder {
        /// As the grant has it.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// A folder beyond the worktree is named in a way that depends on where the daemon was started.
    #[error("a capability of kind fs grants the folder {0:?}, which is not absolute; write the whole path")]
    Relative(PathBuf),
    /// What a command leaves behind could not be found again.
    #[error("the module exec cannot be had: the system does not hand over orphaned processes ({0})")]
    Orphans(io::Error),
}
