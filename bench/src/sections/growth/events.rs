//! Events per execution: each costs the same.

use serde_json::json;

use super::{Curve, draw};
use crate::{Result, api::repl, bench::Bench, daemon::Daemon, load::timed, stats::Sample};

pub fn measure(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let limits = json!({ "limits": { "max_events": 200_000, "max_output_kb": 100_000 } });
    let template = connection.template("much output", &limits)?;
    let session = connection.session(&template, folder.path())?;
    let mut each = Curve::new("one event");
    for count in bench.steps(100, 100_000, 10_000) {
        let request = repl(&session, &format!("for (let i = 0; i < {count}; i++) console.log('line', i)"));
        timed(&mut connection, &request)?;
        let rounds: Result<_> = (0..bench.rounds()).map(|_| timed(&mut connection, &request)).collect();
        each.add(count, Sample::new(rounds?).p50() / count as f64);
    }
    bench.report.target("events per execution: one event, last ÷ first", &[each.growth()], &each.shown())?;
    draw(bench, "events.svg", "Events of one execution", "events of the execution", "us per event", vec![each])
}
