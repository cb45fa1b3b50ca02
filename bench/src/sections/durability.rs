//! What it costs that sessions do not die: storing their state, waking them, and keeping many.

use std::{path::Path, time::Instant};

use serde_json::json;

use crate::{
    Result,
    api::repl,
    bench::{Bench, write},
    daemon::Daemon,
    http::{Connection, request},
    load::{time, timed},
    stats::{Sample, micros},
};

const CALLS: usize = 1000;
const WAKES: usize = 200;
/// So many sessions are woken one after the other.
const IN_TURN: usize = 8;
/// So many calls after a wake a session is as it will be.
const SETTLED: usize = 20;
const RESTARTED: usize = 1000;
const MANY: usize = 100_000;
/// A startup file, which is in the image.
const ROWS: &str = "var rows = Array.from({ length: 14000 }, (_, i) => ({ i, text: 'item ' + i }))";
/// Lead to some 200 pages that differ from it: by a number in each row, and by rows that are new.
const CHANGED: &str = "for (const row of rows) row.i += 1000000; rows.length";
const NEW: &str = "var more = Array.from({ length: 3400 }, (_, i) => ({ i, text: 'item ' + i })); more.length";
const PAGES: u64 = 4096;

pub fn measure(bench: &mut Bench) -> Result<()> {
    cost(bench)?;
    wakes(bench)?;
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

fn wakes(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let template = connection.template("with rows", &json!({}))?;
    write(folder.path(), "rows.js", ROWS)?;
    connection.call("POST", &format!("/templates/{template}/startup-files"), Some(&json!({ "path": "rows.js" })))?;
    // the image is made with the first one
    connection.session(&template, folder.path())?;
    let (changed_rows, note) = changed(&mut connection, &template, folder.path(), &[CHANGED])?;
    bench.report.target("wake, p50 at 200 differing pages", &wake(bench, &mut connection, &changed_rows)?, &note)?;
    let (new_rows, note) = changed(&mut connection, &template, folder.path(), &[NEW])?;
    let rounds = wake(bench, &mut connection, &new_rows)?;
    bench.report.info("wake, p50, most of these pages all new", "ms", &rounds, &note);
    let (both, _) = changed(&mut connection, &template, folder.path(), &[CHANGED, NEW])?;
    let rounds = wake(bench, &mut connection, &both)?;
    bench.report.info("wake, p50, other pages than the session before", "ms", &rounds, "the two in turn");
    Ok(())
}

/// Sessions that are led to these states in turn, and how much the last one has.
fn changed(
    connection: &mut Connection,
    template: &str,
    worktree: &Path,
    states: &[&str],
) -> Result<(Vec<String>, String)> {
    let (mut sessions, mut note) = (Vec::new(), String::new());
    for state in states.iter().cycle().take(IN_TURN) {
        let session = connection.session(template, worktree)?;
        connection.run(&session, state)?;
        let details = connection.call("GET", &format!("/sessions/{session}"), None)?;
        let bytes = |name: &str| details["memory"][name].as_u64().unwrap_or_default();
        // each is in the memory, and kept
        let (pages, stored) = (bytes("resident_bytes") / PAGES / 2, bytes("stored_bytes") >> 10);
        note = format!("{IN_TURN} sessions in turn, {pages} pages, {stored} KiB stored; against a resident session");
        sessions.push(session);
    }
    Ok((sessions, note))
}

/// What the first call after hibernation takes longer than the same call otherwise, in milliseconds.
fn wake(bench: &Bench, connection: &mut Connection, sessions: &[String]) -> Result<Vec<f64>> {
    let mut rounds = Vec::new();
    for _ in 0..bench.rounds() {
        let (mut resident, mut woken) = (Vec::new(), Vec::new());
        for session in sessions.iter().cycle().take(bench.scaled(WAKES)) {
            // What is made ahead after a wake, and what a session does once it is awake, is not to be a part of this.
            time(connection, &repl(session, "1+1"), SETTLED)?;
            resident.push(timed(connection, &repl(session, "1+1"))?);
            hibernate(connection, session)?;
            woken.push(timed(connection, &repl(session, "1+1"))?);
        }
        rounds.push((Sample::new(woken).p50() - Sample::new(resident).p50()) / 1e3);
    }
    Ok(rounds)
}

/// A daemon that is killed, and the next one, until every session has answered with its own state.
fn restart(bench: &mut Bench) -> Result<()> {
    const LINE: &str = "restart with 1,000 ready sessions, until all have answered";
    if bench.lodash_or_skip(&[LINE]).is_none() {
        return Ok(());
    }
    let folder = bench.temporary()?;
    let count = bench.scaled(RESTARTED);
    let mut daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let template = connection.template_with_lodash("with lodash", &json!({}))?;
    let mut sessions = Vec::new();
    for at in 0..count {
        let session = connection.session(&template, folder.path())?;
        connection.run(&session, &format!("var mine = _.sum([{at}, 1])"))?;
        sessions.push(session);
    }
    let mut rounds = Vec::new();
    for _ in 0..bench.rounds() {
        drop(daemon);
        let begin = Instant::now();
        daemon = Daemon::start(bench, folder.path())?;
        let mut connection = daemon.connect()?;
        for (at, session) in sessions.iter().enumerate() {
            let execution = connection.run(session, "mine")?;
            if execution["result"]["json"] != at + 1 {
                return Err(format!("session {session} has lost its state: {execution}").into());
            }
        }
        rounds.push(micros(begin.elapsed()) / 1e3);
    }
    bench.report.target(LINE, &rounds, &format!("{count} sessions with lodash, one connection, after a kill"))
}

/// As many as fit on the disk: each is made, used and taken out of memory; then some answer.
fn many(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let template = connection.template("plain", &json!({}))?;
    let count = bench.scaled(bench.scaled(MANY));
    let (mut sessions, first) = (Vec::with_capacity(count), count / 10);
    let mut with_first = 0.0;
    for at in 0..count {
        if at == first {
            with_first = daemon.memory()?.pss;
        }
        let session = connection.session(&template, folder.path())?;
        connection.run(&session, &format!("var mine = {at}"))?;
        hibernate(&mut connection, &session)?;
        sessions.push(session);
    }
    let each = (daemon.memory()?.pss - with_first).max(0.0) / (count - first) as f64 / 1024.0;
    let stride = (count / 1000).max(1);
    for (at, session) in sessions.iter().enumerate().step_by(stride) {
        let execution = connection.run(session, "mine")?;
        if execution["result"]["json"] != at {
            return Err(format!("session {session} has lost its state: {execution}").into());
        }
    }
    let note = format!("Pss, {count} sessions and a tenth of them");
    bench.report.target("memory per hibernated session", &[each], &note)?;
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
