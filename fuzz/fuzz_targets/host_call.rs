//! What a guest asks of the host.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vm_fuzz::host_call::check(data));
