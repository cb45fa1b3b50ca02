//! What a live session takes.

use std::{thread::sleep, time::Duration};

use serde_json::json;

use crate::{Result, bench::Bench, daemon::Daemon};

const SESSIONS: usize = 1000;
/// A session that nobody uses for a second is packed, and stays in memory.
const REST: Duration = Duration::from_secs(4);
const LINE: &str = "memory per live session with lodash";

pub fn measure(bench: &mut Bench) -> Result<()> {
    if bench.lodash_or_skip(&[LINE]).is_none() {
        return Ok(());
    }
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let template = connection.template_with_lodash("with lodash", &json!({}))?;
    let mut use_one = || -> Result<()> {
        let session = connection.session(&template, folder.path())?;
        connection.run(&session, "var list = _.range(10); _.sum(list)").map(drop)
    };
    // what the first ones cost the daemon is not theirs
    (0..10).try_for_each(|_| use_one())?;
    sleep(REST);
    let before = daemon.memory()?;
    let count = bench.scaled(SESSIONS);
    (0..count).try_for_each(|_| use_one())?;
    sleep(REST);
    let after = daemon.memory()?;
    let each = |before: f64, after: f64| (after - before) / count as f64 / 1024.0;
    let note = format!("Pss, {count} sessions, one eval each, {} s later", REST.as_secs());
    bench.report.target(LINE, &[each(before.pss, after.pss)], &note)?;
    bench.report.info("the same by Rss", "KiB", &[each(before.rss, after.rss)], "shared pages count once per session");
    bench.report.info("the daemon with one session less than that", "MiB", &[before.pss / f64::from(1 << 20)], "Pss");
    Ok(())
}
