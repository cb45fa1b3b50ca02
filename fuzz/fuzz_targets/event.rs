//! What a guest reports.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vm_fuzz::event::check(data));
