//! A session's memory: what an execution does not touch costs it nothing.

use serde_json::json;

use super::{Curve, against_floor, draw};
use crate::{Result, api::repl, bench::Bench, daemon::Daemon};

pub fn measure(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let template = connection.template("large", &json!({ "limits": { "mem_mb": 256 } }))?;
    let mut latency = Curve::new("1+1, p50");
    for mib in bench.steps(1, 100, 100) {
        let session = connection.session(&template, folder.path())?;
        connection.run(&session, &format!("var held = new Uint8Array({mib} << 20).fill(7); held.length"))?;
        latency.add(mib, against_floor(bench, &mut connection, &repl(&session, "1+1"))?);
        connection.close(&session)?;
    }
    bench.report.target("session memory: 1+1, last ÷ first", &[latency.growth()], &latency.shown())?;
    draw(bench, "memory.svg", "A session's memory", "MiB that the session holds", "x floor", vec![latency])
}
