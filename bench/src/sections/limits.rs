//! How long after their wall limit hostile scripts end: the scripts of the hostile suite, each in a session of its own.

use std::time::Instant;

use serde_json::{Value, json};

use self::scripts::{MEMORY, Outcomes, SCRIPTS};
use crate::{
    Result,
    api::repl,
    bench::Bench,
    daemon::Daemon,
    http::Connection,
    stats::{Sample, millis},
};

#[path = "../../../crates/vm-system/tests/hostile/scripts.rs"]
mod scripts;

const WALL_MS: u64 = 300;

/// How one script went.
struct Ended {
    name: &'static str,
    /// How long it took beyond the wall limit, in milliseconds; less than nothing if it ended before.
    over: f64,
    is_as_it_may: bool,
    is_rolled_back: bool,
}

pub fn measure(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let limits = json!({ "cpu_ms": 60_000, "wall_ms": WALL_MS, "mem_mb": 32, "max_events": 100, "max_output_kb": 64 });
    let template = connection.template("hostile", &json!({ "limits": limits }))?;
    let every = if bench.is_quick { 10 } else { 1 };
    let mut ended = Vec::new();
    for (name, code, outcomes) in SCRIPTS.iter().step_by(every) {
        let session = connection.session(&template, folder.path())?;
        ended.push(attempt(&mut connection, &session, name, code, outcomes)?);
        connection.close(&session)?;
    }
    report(bench, &ended)
}

fn attempt(
    connection: &mut Connection,
    session: &str,
    name: &'static str,
    code: &str,
    outcomes: Outcomes,
) -> Result<Ended> {
    connection.run(session, "var kept = 3")?;
    let request = repl(session, code);
    let begin = Instant::now();
    let (_, answer) = connection.send(&request)?;
    let took = millis(begin.elapsed());
    let answer: Value = serde_json::from_slice(&answer)?;
    let details = &answer["error"]["details"];
    let outcome = details["limit"].as_str().or(answer["status"].as_str()).unwrap_or("an error of the daemon");
    let outcome = if outcome == "wall_ms" { "time" } else { outcome };
    // One that is to come to its memory limit may not have the time here.
    let may = outcomes.contains(&outcome) || (outcomes == MEMORY && outcome == "time");
    let keeps_state = connection.run(session, "kept")?["result"]["json"] == 3;
    let is_rolled_back = match details["execution_id"].as_str() {
        Some(id) => connection.call("GET", &format!("/executions/{id}"), None)?["metrics"]["rolled_back"] == true,
        None => false,
    };
    Ok(Ended { name, over: took - WALL_MS as f64, is_as_it_may: may && keeps_state, is_rolled_back })
}

fn report(bench: &mut Bench, ended: &[Ended]) -> Result<()> {
    let stopped = Sample::new(ended.iter().map(|ended| ended.over).filter(|over| *over > 0.0).collect());
    let worst = ended.iter().max_by(|a, b| a.over.total_cmp(&b.over)).ok_or("no scripts")?;
    let rolled_back = ended.iter().filter(|ended| ended.is_rolled_back).count();
    let wrong: Vec<_> = ended.iter().filter(|ended| !ended.is_as_it_may).map(|ended| ended.name).collect();
    let note = format!("{}; {} scripts, {rolled_back} rolled back", worst.name, ended.len());
    bench.report.target("hostile scripts: over the wall limit, max", &[worst.over.max(0.0)], &note)?;
    bench.report.info("hostile scripts: over the wall limit, p50", "ms", &[stopped.p50()], "of those that reached it");
    bench.report.target("hostile scripts: outcomes that none may have", &[wrong.len() as f64], &wrong.join(", "))
}
