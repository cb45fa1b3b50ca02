//! What can break around the daemon: disks, its database, its clients. Each time the answer is a clear error or a clean close,
//! the log says what happened, and afterwards everything is as before: executions work, and the state is there.
//!
//! | module | what breaks |
//! |---|---|
//! | `full_disk` | there is no more room for the database |
//! | `read_only` | the database's file or folder may not be written |
//! | `broken_at_start` | the database is damaged when a daemon starts |
//! | `broken_while_running` | the database is deleted, replaced, cut off or overwritten |
//! | `gone` | clients go away in the middle of a request |
//! | `crowds` | clients are many |
//! | `slow` | clients take their time |
//! | `bodies` | bodies are too large |
//! | `malformed` | what comes in is no HTTP |
//! | `protocol` | what HTTP allows and few clients use |
//! | `served` | a daemon that is to survive it, and how that is judged |
//! | `support` | what the tests stand on |
#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod bodies;
mod broken_at_start;
mod broken_while_running;
mod crowds;
mod full_disk;
mod gone;
mod malformed;
mod protocol;
mod read_only;
mod served;
mod slow;
#[path = "../support/mod.rs"]
mod support;

use support::{binary, daemon, document, http, raw};
