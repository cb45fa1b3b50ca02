//! History in the database: what is recorded costs nobody anything who does not ask for it.

use std::{path::Path, time::Instant};

use serde_json::json;
use vm_model::Execution;
use vm_store::{Effect, Store};

use super::{Curve, against_floor, draw, mib};
use crate::{Result, api::repl, bench::Bench, daemon::Daemon, http::request, sections::size::copy, stats::millis};

const EVENTS_EACH: usize = 100;

pub fn measure(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let (session, execution) = sample(bench, folder.path())?;
    let (mut latency, mut list) = (Curve::new("1+1, p50"), Curve::new("newest 50 executions of a session, p50"));
    let (mut memory, mut start) = (Curve::new("the daemon, Pss"), Curve::new("start"));
    let mut recorded = 0;
    for count in [0].into_iter().chain(bench.steps(1000, 10_000_000, 100_000)) {
        record(folder.path(), &execution, count - recorded)?;
        recorded = count;
        let begin = Instant::now();
        let daemon = Daemon::start(bench, folder.path())?;
        start.add(count, millis(begin.elapsed()));
        let mut connection = daemon.connect()?;
        let template = connection.template(&format!("at {count}"), &json!({}))?;
        let own = connection.session(&template, folder.path())?;
        latency.add(count, against_floor(bench, &mut connection, &repl(&own, "1+1"))?);
        let newest = request("GET", &format!("/executions?session_id={session}&limit=50"), None);
        list.add(count, against_floor(bench, &mut connection, &newest)?);
        memory.add(count, mib(daemon.memory()?));
        daemon.stop()?;
    }
    let growth = memory.last() - memory.first();
    bench.report.target("history: 1+1, last ÷ first", &[latency.growth()], &latency.shown())?;
    bench.report.target("history: newest 50 executions, last ÷ first", &[list.growth()], &list.shown())?;
    bench.report.target("history: growth of the daemon's memory", &[growth], &memory.shown())?;
    bench.report.info("history: the daemon's start, last ÷ first", "x", &[start.growth()], &start.shown());
    let (title, x) = ("History in the database", "recorded events");
    draw(bench, "history.svg", title, x, "x floor", vec![latency, list])?;
    draw(bench, "history-memory.svg", title, x, "MiB", vec![memory])?;
    draw(bench, "history-start.svg", title, x, "ms", vec![start])
}

/// A session, and an execution as it is recorded, but with many events.
fn sample(bench: &Bench, folder: &Path) -> Result<(String, Execution)> {
    let daemon = Daemon::start(bench, folder)?;
    let mut connection = daemon.connect()?;
    let template = connection.template("plain", &json!({}))?;
    let session = connection.session(&template, folder)?;
    // so that even the smallest history has a page of executions
    for _ in 0..50 {
        connection.run(&session, "1+1")?;
    }
    let log = format!("for (let i = 2; i < {EVENTS_EACH}; i++) console.log('line', i)");
    let execution: Execution = serde_json::from_value(connection.run(&session, &log)?)?;
    daemon.stop()?;
    Ok((session, execution))
}

/// Records so many events more, while no daemon has the database.
fn record(folder: &Path, execution: &Execution, events: usize) -> Result<()> {
    let store = Store::open(&folder.join("bench.db"))?;
    for _ in 0..events / EVENTS_EACH {
        store.insert_execution(&copy(execution), Effect::Unchanged)?;
    }
    Ok(())
}
