//! What the store promises to its callers, on real files.
#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod capabilities;
mod concurrency;
mod executions;
mod gc;
mod images;
mod log;
mod opening;
mod recovery;
mod redo;
mod sessions;
mod state;
mod support;
mod templates;
