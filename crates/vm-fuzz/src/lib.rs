//! What is fuzzed: everything that decodes what somebody else has written. Each check takes any bytes, and panics if what is
//! made of them is wrong.
//!
//! | module | its bytes |
//! |---|---|
//! | [`request`] | bodies and queries of the API |
//! | [`path`] | paths of the worktree and module specifiers |
//! | [`host_call`] | what a guest asks of the host |
//! | [`event`] | what a guest reports |
//! | [`checkpoint`] | stored changes of a session's memory |
//!
//! `make fuzz` tries bytes without end (the targets in `fuzz/` call these); `cargo test` those that have shown something.

// A panic is a find.
#![allow(clippy::unwrap_used)]

pub mod checkpoint;
pub mod event;
pub mod host_call;
pub mod path;
pub mod request;
