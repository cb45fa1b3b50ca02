//! Bodies and queries of the API.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vm_fuzz::request::check(data));
