//! Stored changes of a session's memory.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vm_fuzz::checkpoint::check(data));
