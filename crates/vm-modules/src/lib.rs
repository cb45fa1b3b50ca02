//! What scripts may touch of the host.
//!
//! | module | what it holds |
//! |---|---|
//! | [`catalog`] | the native modules that a template can be given |
//! | [`libraries`] | third-party JavaScript: the catalog, and the names of its files |
//! | [`worktree`] | a session's folder: files are opened beneath it by the kernel, never by comparing strings |

pub mod catalog;
pub mod libraries;
pub mod worktree;

pub use worktree::{Worktree, WorktreeError, normalise};
