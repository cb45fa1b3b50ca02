//! Attempts to reach outside the worktree, through the real binary: each fails with an error that says why, nothing of the
//! outside is told or changed, and the session goes on.
//!
//! | module | what it tries |
//! |---|---|
//! | `fs`, `fs_roots` | the module `fs`: around the worktree, and around granted folders |
//! | `database` | files of SQLite, and SQL that leads to other files |
//! | `import`, `require` | specifiers |
//! | `run_file`, `startup` | paths that are given over HTTP |
//! | `exec` | where commands run, and which |
//! | `moved` | a worktree whose path leads elsewhere |
//! | `races` | what changes while it is looked at |
//! | `world` | the worktree, what is around it, and how an attempt is judged |
//! | `support` | what the tests stand on |
#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod database;
mod exec;
mod fs;
mod fs_roots;
mod import;
mod moved;
mod races;
mod require;
mod run_file;
mod startup;
#[path = "../support/mod.rs"]
mod support;
mod world;

use support::{daemon, document, http};
