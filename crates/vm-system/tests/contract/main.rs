//! The contract, sentence by sentence, through the real binary: one daemon per test, spoken to over HTTP and through the
//! command line. A test is named after what it holds to; how the edges of it behave is in the tests beside this folder.
//!
//! | module | what it holds to |
//! |---|---|
//! | `walk` | the founding document's walk, command by command |
//! | `requests` | every route: health, request ids, strict bodies, lists, unknown routes |
//! | `ids_and_times` | what every id and every time is like |
//! | `templates`, `sessions`, `executions` | their routes, and every error that the contract names |
//! | `limits` | each limit |
//! | `events`, `values` | what an execution records, and how values look in it |
//! | `scripts`, `redeclaration` | state, completion values, the end of an execution; declaring anew |
//! | `native_modules`, `database`, `exec`, `fs` | deny by default, and each module |
//! | `cli`, `cli_lines` | the commands, and the lines that they print |
//! | `support` | what the tests stand on |
#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod cli;
mod cli_lines;
mod database;
mod events;
mod exec;
mod executions;
mod fs;
mod ids_and_times;
mod limits;
mod native_modules;
mod redeclaration;
mod requests;
mod scripts;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
mod templates;
mod values;
mod walk;

use support::{binary, daemon, document, http};
