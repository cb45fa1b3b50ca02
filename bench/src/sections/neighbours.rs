//! What one session's work, output or memory does to the answers of another.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    Result,
    api::repl,
    bench::Bench,
    daemon::Daemon,
    load::{time, time_while},
    stats::Sample,
};

/// What the hostile session runs again and again.
const HOSTILE: [(&str, &str); 3] = [
    ("neighbour's p99 beside an endless loop", "for (;;) ;"),
    (
        "neighbour's p99 beside a flood of output",
        // Hard to pack: no line comes again within what is packed together.
        "{ const number = () => Math.random().toString(36).slice(2);
           const lines = Array.from({ length: 1000 }, () => Array.from({ length: 9 }, number).join(''));
           for (let i = 0;; i++) console.log(lines[i % 1000]) }",
    ),
    (
        "neighbour's p99 beside a script that fills its memory",
        "const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1))",
    ),
];

pub fn measure(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let limits = json!({ "cpu_ms": 1000, "wall_ms": 2000, "max_events": 10_000, "max_output_kb": 2048 });
    let hostile = connection.template("hostile", &json!({ "limits": limits }))?;
    let plain = connection.template("plain", &json!({}))?;
    let request = repl(&connection.session(&plain, folder.path())?, "1+1");
    time(&mut connection, &request, 500)?;
    let duration = if bench.is_quick { Duration::from_millis(500) } else { Duration::from_secs(3) };
    for (line, code) in HOSTILE {
        let (mut ratios, mut alone) = (Vec::new(), Vec::new());
        for _ in 0..bench.rounds() {
            let begin = Instant::now();
            let before = time_while(&mut connection, &request, || begin.elapsed() < duration)?;
            let beside = beside(&daemon, &hostile, folder.path(), code, &request, duration)?;
            alone.push(before.p99());
            ratios.push(beside.p99() / before.p99());
        }
        let note = format!("alone {:.0} us", Sample::new(alone).p50());
        bench.report.target(line, &ratios, &note)?;
    }
    Ok(())
}

/// The neighbour's calls while the hostile code runs, again and again, in a session of its own.
fn beside(
    daemon: &Daemon,
    template: &str,
    worktree: &Path,
    code: &str,
    request: &[u8],
    duration: Duration,
) -> Result<Sample> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let hostile = scope.spawn(|| -> Result<()> {
            let mut connection = daemon.connect()?;
            let session = connection.session(template, worktree)?;
            let request = repl(&session, code);
            while !is_over.load(Ordering::Relaxed) {
                // It ends at one of its limits, which is an answer like any other here.
                connection.send(&request)?;
            }
            connection.close(&session)
        });
        let mut connection = daemon.connect()?;
        let begin = Instant::now();
        let sample = time_while(&mut connection, request, || begin.elapsed() < duration);
        is_over.store(true, Ordering::Relaxed);
        hostile.join().map_err(|_| "the hostile session failed")??;
        sample
    })
}
