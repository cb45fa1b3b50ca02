//! The native modules `fs`, `exec` and `database`, as a session's scripts call them. What is not granted is not there.
//!
//! | module | what it holds |
//! |---|---|
//! | [`grants`] | which modules a session has, and how much of them |
//! | [`call`] | a session's modules, and the way from a call's name to its function |
//! | [`bounds`] | what ends a call, and how large its answer may get |
//! | [`error`] | what the script catches |
//! | `arguments` | a call's arguments, checked |
//! | `fs`, `places`, `remove`, `encoding` | `fs`: the functions, where a path leads, `rmSync`, text in files |
//! | `exec`, `descendants` | `exec`: the command, and the end of all that it started |
//! | `meter`, `processes` | the CPU time of commands, and the processes of the system |
//! | `database` | `database`: SQLite that keeps to the worktree |

mod arguments;
pub mod bounds;
pub mod call;
mod database;
mod descendants;
mod encoding;
pub mod error;
mod exec;
mod fs;
pub mod grants;
mod meter;
mod places;
mod processes;
mod remove;

pub use bounds::Bounds;
pub use call::Natives;
pub use error::NativeError;
pub use grants::{DatabaseGrant, ExecGrant, FsGrant, FsRoot, GrantError, Grants};
