//! Calls over HTTP: `1+1` against the floor, throughput, and an execution with much output.

use std::{process, time::Duration};

use serde_json::json;

use crate::{
    Result,
    api::{health, repl},
    bench::Bench,
    daemon::Daemon,
    load::{throughput, time_in_turn, timed},
    process::cpu,
};

const CALLS: usize = 4000;
const CONNECTIONS: usize = 8;
const LINES: usize = 10_000;

pub fn measure(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let template = connection.template("plain", &json!({}))?;
    let sessions = (0..CONNECTIONS)
        .map(|_| connection.session(&template, folder.path()).map(|session| repl(&session, "1+1")))
        .collect::<Result<Vec<_>>>()?;

    let fleeting = connection.template("fleeting", &json!({ "runtime": { "durability": "none" } }))?;
    let fleeting = repl(&connection.session(&fleeting, folder.path())?, "1+1");
    let health = health();
    let (mut floors, mut floors_p99, mut none, mut p50, mut p99) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds() {
        let calls = bench.scaled(CALLS);
        let [floor, fleeting] = time_in_turn(&mut connection, [&health, &fleeting], calls)?;
        none.push(fleeting.p50() / floor.p50());
        let [floor, durable] = time_in_turn(&mut connection, [&health, &sessions[0]], calls)?;
        floors.push(floor.p50());
        floors_p99.push(floor.p99() / floor.p50());
        p50.push(durable.p50() / floor.p50());
        p99.push(durable.p99() / floor.p50());
    }
    bench.report.info("GET /health, p50: the floor", "us", &floors, "");
    bench.report.info("GET /health, p99", "x floor", &floors_p99, "how much of the p99 below is the machine's");
    bench.report.target("1+1, p50, durability none", &none, "")?;
    bench.report.target("1+1, p50", &p50, "")?;
    bench.report.target("1+1, p99", &p99, "")?;

    at_once(bench, &daemon, &sessions)?;
    much_output(bench, &daemon, &folder)
}

/// As fast as the answers come; and who uses the cores meanwhile.
fn at_once(bench: &mut Bench, daemon: &Daemon, sessions: &[Vec<u8>]) -> Result<()> {
    let duration = if bench.is_quick { Duration::from_millis(500) } else { Duration::from_secs(2) };
    let healths = vec![health(); sessions.len()];
    let (mut floors, mut rates, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds() {
        floors.push(throughput(daemon.address, &healths, duration)?);
        let begin = (cpu(process::id())?, daemon.cpu()?);
        rates.push(throughput(daemon.address, sessions, duration)?);
        let (own, theirs) = (cpu(process::id())? - begin.0, daemon.cpu()? - begin.1);
        shares.push(own.as_secs_f64() / (own + theirs).as_secs_f64());
    }
    bench.report.info("GET /health, 8 connections", "/s", &floors, "what the load generator can do");
    bench.report.target("1+1, 8 connections on 8 sessions", &rates, "")?;
    bench.report.target("share of the CPU time that the load generator takes", &shares, "while 1+1 at 8 connections")
}

fn much_output(bench: &mut Bench, daemon: &Daemon, folder: &tempfile::TempDir) -> Result<()> {
    let mut connection = daemon.connect()?;
    let settings = json!({ "limits": { "max_events": 2 * LINES, "max_output_kb": 10_240 } });
    let template = connection.template("much output", &settings)?;
    let session = connection.session(&template, folder.path())?;
    let request = repl(&session, &format!("for (let i = 0; i < {LINES}; i++) console.log('line', i)"));
    let rounds: Result<Vec<_>> = (0..bench.rounds()).map(|_| Ok(timed(&mut connection, &request)? / 1e3)).collect();
    bench.report.target("10,000 console.log lines in one execution", &rounds?, "")
}
