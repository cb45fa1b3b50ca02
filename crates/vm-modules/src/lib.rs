//! What scripts may touch of the host.
//!
//! | module | what it holds |
//! |---|---|
//! | [`libraries`] | third-party JavaScript: the catalog, and the names of its files |
//! | [`worktree`] | a session's folder: files are opened beneath it by the kernel, never by comparing strings |

pub mod libraries;
pub mod worktree;

pub use worktree::{Worktree, WorktreeError, normalise};
