//! Executions per session: those that are over cost the next one nothing.

use serde_json::json;

use super::{Curve, against_floor, draw, mib};
use crate::{Result, api::repl, bench::Bench, daemon::Daemon, load::timed};

pub fn measure(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let template = connection.template("plain", &json!({}))?;
    let session = connection.session(&template, folder.path())?;
    let request = repl(&session, "1+1");
    let (mut latency, mut memory) = (Curve::new("1+1, p50"), Curve::new("the daemon, Pss"));
    let mut done = 0;
    for count in bench.steps(10, 100_000, 1000) {
        while done < count {
            timed(&mut connection, &request)?;
            done += 1;
        }
        latency.add(count, against_floor(bench, &mut connection, &request)?);
        memory.add(count, mib(daemon.memory()?));
    }
    let growth = memory.last() - memory.first();
    bench.report.target("executions per session: 1+1, last ÷ first", &[latency.growth()], &latency.shown())?;
    bench.report.target("executions per session: growth of the daemon's memory", &[growth], &memory.shown())?;
    let title = "A session's executions";
    draw(bench, "executions.svg", title, "executions of the session", "x floor", vec![latency])?;
    draw(bench, "executions-memory.svg", title, "executions of the session", "MiB", vec![memory])
}
