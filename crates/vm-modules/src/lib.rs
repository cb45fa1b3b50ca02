//! What scripts may touch of the host.
//!
//! | module | what it holds |
//! |---|---|
//! | [`worktree`] | a session's folder: files are opened beneath it by the kernel, never by comparing strings |

pub mod worktree;

pub use worktree::{Worktree, WorktreeError, normalise};
