//! What it costs that sessions do not die: storing their state, waking them, and keeping many.

use std::{path::Path, time::Instant};

use serde_json::json;

use crate::{
    Result,
    api::repl,
    bench::Bench,
    daemon::Daemon,
    http::{Connection, request},
    load::{time, timed},
    stats::{Sample, micros},
};

const CALLS: usize = 1000;
const WAKES: usize = 200;
const RESTARTED: usize = 1000;
const MANY: usize = 100_000;
/// Leads to some 200 pages that differ from the image.
const STATE: &str = "var rows = Array.from({ length: 4200 }, (_, i) => ({ i, text: 'item ' + i })); rows.length";
const PAGES: u64 = 4096;

pub fn measure(bench: &mut Bench) -> Result<()> {
    cost(bench)?;
    wake(bench)?;
    restart(bench)?;
    many(bench)
}

/// What an execution takes with each durability.
fn cost(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    for durability in ["none", "execution", "full"] {
        let settings = json!({ "runtime": { "durability": durability } });
        let template = connection.template(durability, &settings)?;
        let session = connection.session(&template, folder.path())?;
        let mut rounds = Vec::new();
        for _ in 0..bench.rounds() {
            rounds.push(time(&mut connection, &repl(&session, "1+1"), bench.scaled(CALLS))?.p50());
        }
        bench.report.info(&format!("1+1, p50, durability {durability}"), "us", &rounds, "over HTTP");
    }
    Ok(())
}

/// What the first call after hibernation takes longer than the same call otherwise.
fn wake(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let template = connection.template("plain", &json!({}))?;
    let session = connection.session(&template, folder.path())?;
    connection.run(&session, STATE)?;
    let details = connection.call("GET", &format!("/sessions/{session}"), None)?;
    // each is in the memory, and kept
    let pages = details["memory"]["resident_bytes"].as_u64().unwrap_or_default() / PAGES / 2;
    let mut rounds = Vec::new();
    for _ in 0..bench.rounds() {
        let resident = time(&mut connection, &repl(&session, "1+1"), bench.scaled(WAKES))?.p50();
        let mut woken = Vec::new();
        for _ in 0..bench.scaled(WAKES) {
            hibernate(&mut connection, &session)?;
            woken.push(timed(&mut connection, &repl(&session, "1+1"))?);
        }
        rounds.push((Sample::new(woken).p50() - resident) / 1e3);
    }
    bench.report.target(
        "wake, p50 at 200 differing pages",
        &rounds,
        &format!("{pages} pages, against a resident session"),
    )
}

/// A daemon that is killed, and the next one, until every session has answered with its own state.
fn restart(bench: &mut Bench) -> Result<()> {
    const LINE: &str = "restart with 1,000 ready sessions, until all have answered";
    const HIBERNATED: &str = "memory per hibernated session";
    if bench.lodash_or_skip(&[LINE, HIBERNATED]).is_none() {
        return Ok(());
    }
    let folder = bench.temporary()?;
    let count = bench.scaled(RESTARTED);
    let mut daemon = Daemon::start(bench, folder.path())?;
    let empty = daemon.memory()?;
    let mut connection = daemon.connect()?;
    let template = connection.template_with_lodash("with lodash", &json!({}))?;
    let mut sessions = Vec::new();
    for at in 0..count {
        let session = connection.session(&template, folder.path())?;
        connection.run(&session, &format!("var mine = _.sum([{at}, 1])"))?;
        sessions.push(session);
    }
    let (mut rounds, mut hibernated) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds() {
        drop(daemon);
        let begin = Instant::now();
        daemon = Daemon::start(bench, folder.path())?;
        hibernated.push((daemon.memory()?.pss - empty.pss).max(0.0) / count as f64 / 1024.0);
        let mut connection = daemon.connect()?;
        for (at, session) in sessions.iter().enumerate() {
            let execution = connection.run(session, "mine")?;
            if execution["result"]["json"] != at + 1 {
                return Err(format!("session {session} has lost its state: {execution}").into());
            }
        }
        rounds.push(micros(begin.elapsed()) / 1e3);
    }
    bench.report.target(LINE, &rounds, &format!("{count} sessions with lodash, one connection, after a kill"))?;
    bench.report.target(HIBERNATED, &hibernated, "Pss after a restart, less that of an empty daemon")
}

/// As many as fit on the disk: each is made, used and taken out of memory; then some answer.
fn many(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let template = connection.template("plain", &json!({}))?;
    let count = bench.scaled(bench.scaled(MANY));
    let mut sessions = Vec::with_capacity(count);
    for at in 0..count {
        let session = connection.session(&template, folder.path())?;
        connection.run(&session, &format!("var mine = {at}"))?;
        hibernate(&mut connection, &session)?;
        sessions.push(session);
    }
    let stride = (count / 1000).max(1);
    for (at, session) in sessions.iter().enumerate().step_by(stride) {
        let execution = connection.run(session, "mine")?;
        if execution["result"]["json"] != at {
            return Err(format!("session {session} has lost its state: {execution}").into());
        }
    }
    let memory = daemon.memory()?.pss / f64::from(1 << 20);
    let disk = bytes_in(folder.path())? as f64 / count as f64;
    bench.report.info(
        "sessions made, used and hibernated",
        "",
        &[count as f64],
        "every hundredth of them answers, or more",
    );
    bench.report.info("the daemon with them", "MiB", &[memory], "Pss, with those that have answered");
    bench.report.info("disk per session", "bytes", &[disk], "its row, one execution, its state");
    Ok(())
}

fn hibernate(connection: &mut Connection, session: &str) -> Result<()> {
    timed(connection, &request("POST", &format!("/sessions/{session}/hibernate"), None)).map(drop)
}

/// The database and its log.
fn bytes_in(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("bench.db") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
