//! Live sessions: those that do nothing cost the others nothing but memory.

use std::time::Instant;

use serde_json::json;

use super::{Curve, against_floor, draw, mib};
use crate::{
    Result,
    api::repl,
    bench::Bench,
    daemon::Daemon,
    stats::{Sample, millis},
};

pub fn measure(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let template = connection.template("plain", &json!({}))?;
    let first = connection.session(&template, folder.path())?;
    let request = repl(&first, "1+1");
    let (mut latency, mut memory) = (Curve::new("1+1 in the first session, p50"), Curve::new("the daemon, Pss"));
    let mut creation = Curve::new("making another one, p50");
    let mut live = 1;
    for count in bench.steps(1, 10_000, 100) {
        let mut created = Vec::new();
        while live < count {
            let begin = Instant::now();
            let session = connection.session(&template, folder.path())?;
            created.push(millis(begin.elapsed()));
            connection.run(&session, "1+1")?;
            live += 1;
        }
        latency.add(count, against_floor(bench, &mut connection, &request)?);
        memory.add(count, mib(daemon.memory()?));
        if !created.is_empty() {
            creation.add(count, Sample::new(created).p50());
        }
    }
    let each = (memory.last() - memory.first()) / (live - 1) as f64 * 1024.0;
    bench.report.target("live sessions: 1+1, last ÷ first", &[latency.growth()], &latency.shown())?;
    bench.report.info("live sessions: memory of each, plain", "KiB", &[each], "Pss, one eval each");
    bench.report.info("live sessions: making one, last ÷ first", "x", &[creation.growth()], &creation.shown());
    let (title, x) = ("Live sessions", "live sessions");
    draw(bench, "sessions.svg", title, x, "x floor", vec![latency])?;
    draw(bench, "sessions-creation.svg", title, x, "ms", vec![creation])?;
    draw(bench, "sessions-memory.svg", title, x, "MiB", vec![memory])
}
