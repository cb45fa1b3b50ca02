//! The daemon's start: from the command to the first answer.

use std::{path::Path, time::Instant};

use crate::{Result, api::health, bench::Bench, daemon::Daemon, load::timed, stats::millis};

const STARTS: usize = 10;

pub fn measure(bench: &mut Bench) -> Result<()> {
    let code_cache = bench.code_cache();
    // whatever compiled it before, it is compiled now
    start(bench, &code_cache)?;
    let warm: Result<Vec<_>> = (0..bench.scaled(STARTS)).map(|_| start(bench, &code_cache)).collect();
    bench.report.target("start to healthy, warm code cache", &warm?, "")?;
    let first = |_| start(bench, bench.temporary()?.path());
    let first: Result<Vec<_>> = (0..bench.rounds().min(3)).map(first).collect();
    bench.report.target("start to healthy, first ever", &first?, "compiles the engine")
}

fn start(bench: &Bench, code_cache: &Path) -> Result<f64> {
    let folder = bench.temporary()?;
    let begin = Instant::now();
    let daemon = Daemon::start_with(bench, folder.path(), code_cache)?;
    timed(&mut daemon.connect()?, &health())?;
    Ok(millis(begin.elapsed()))
}
