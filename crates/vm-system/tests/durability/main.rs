//! Sessions that do not die: what was acknowledged survives the daemon, whichever way it ends.
#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod clients;
mod damage;
mod databases;
mod dice;
mod forks;
mod full_disk;
mod hibernation;
mod housekeeping;
mod images;
mod kills;
mod model;
mod races;
mod restarts;
#[path = "../support/mod.rs"]
mod support;
mod survivors;

use support::{binary, daemon, document, http};
