//! What a guest claims costs the host no memory. Alone in its file: the peak is the whole process's.
#![allow(clippy::unwrap_used)] // helpers of tests, where a failure is a failed test

mod support;

use std::{fs, sync::LazyLock};

use support::puppet::*;
use vm_engine::Setup;
use vm_model::Limits;

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim_end_matches("kB").trim().parse::<u64>().unwrap() << 10
}

#[test]
fn texts_that_are_longer_than_any_output_cost_the_host_no_memory() {
    const PAGES: i32 = 2000;
    let limits = Limits { mem_mb: 128, ..LIMITS };
    let reports = (0..7).map(|kind| [REPORT, kind, 1, (PAGES << 16) - 1, 2, 9, 3, PAGES << 16]);
    let claims = (0..7).map(|kind| [REPORT, kind, 1, -1, 2, -1, 3, -1]);
    let names = [[CALL, 0, PAGES << 16, 0, 9, 0, 0, 0], [CALL, 0, -1, 0, -1, 0, 0, 0], [RANDOM, 0, -1, 0, 0, 0, 0, 0]];
    LazyLock::force(&PUPPET);
    let before = peak();
    for long in reports.chain(claims).chain(names) {
        let moves = vec![[GROW, PAGES, 0, 0, 0, 0, 0, 0], long];
        on_a_large_stack(|| play(&PUPPET, &Setup::plain(&limits), &[moves]));
    }
    let grown = peak() - before;
    assert!(grown < 64 << 20, "{grown} bytes");
}
