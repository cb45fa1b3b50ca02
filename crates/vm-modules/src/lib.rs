//! What scripts may touch of the host.
//!
//! | module | what it holds |
//! |---|---|
//! | [`catalog`] | the native modules that a template can be given |
//! | [`libraries`] | third-party JavaScript: the catalog, the cache folder, and filling it |
//! | [`natives`] | the modules `fs`, `exec` and `database`, deny by default |
//! | [`worktree`] | a session's folder: files are opened beneath it by the kernel, never by comparing strings |

pub mod catalog;
pub mod libraries;
pub mod natives;
pub mod worktree;

pub use natives::{Bounds, DatabaseGrant, ExecGrant, FsGrant, FsRoot, GrantError, Grants, NativeError, Natives};
pub use worktree::{Worktree, WorktreeError, normalise};
