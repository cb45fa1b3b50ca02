//! What scripts may touch of the host.
//!
//! | module | what it holds |
//! |---|---|
//! | [`libraries`] | third-party JavaScript: the catalog, the cache folder, and filling it |
//! | [`worktree`] | a session's folder: files are opened beneath it by the kernel, never by comparing strings |

pub mod libraries;
pub mod worktree;

pub use worktree::{Worktree, WorktreeError, normalise};
