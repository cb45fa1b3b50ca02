//! Paths of the worktree and module specifiers.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vm_fuzz::path::check(data));
