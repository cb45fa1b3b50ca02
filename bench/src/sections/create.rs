//! Making sessions: over HTTP against the floor, and stamping an instance in this process.

use std::{fs, path::Path, time::Instant};

use serde_json::json;
use vm_engine::ProgramKind;
use vm_model::Limits;

use crate::{
    Result,
    api::{health, id, new_session},
    bench::{Bench, write},
    daemon::Daemon,
    engine,
    http::Connection,
    load::timed,
    stats::{Sample, micros},
};

const SESSIONS: usize = 300;
const STAMPS: usize = 2000;
const STARTUP: [&str; 3] = [
    "globalThis.settings = { name: 'bench', started: true }",
    "function total(list) { return _.sumBy(list, 'value') }",
    "var table = _.range(100).map(value => ({ value, label: 'row ' + value }))",
];
const WITH_LODASH: &str = "session create, lodash and 3 startup files, p50";
const FIRST: &str = "first create after a template change";
const STAMP_P50: &str = "stamping an instance, p50";
const STAMP_P99: &str = "stamping an instance, p99";

pub fn measure(bench: &mut Bench) -> Result<()> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let template = connection.template("plain", &json!({}))?;
    let mut rounds = Vec::new();
    for _ in 0..bench.rounds() {
        rounds.push(against_floor(bench, &mut connection, &template, folder.path())?);
    }
    bench.report.target("session create, plain template, p50", &rounds, "")?;
    let Some(lodash) = bench.lodash_or_skip(&[WITH_LODASH, FIRST, STAMP_P50, STAMP_P99]) else { return Ok(()) };
    with_lodash(bench, &mut connection, folder.path(), &lodash)?;
    stamp(bench, &lodash)
}

/// The p50 of making sessions as a multiple of the floor; they are closed again.
fn against_floor(bench: &Bench, connection: &mut Connection, template: &str, worktree: &Path) -> Result<f64> {
    let (health, mut floor) = (health(), Vec::new());
    let (mut durations, mut made) = (Vec::new(), Vec::new());
    for _ in 0..bench.scaled(SESSIONS) {
        // What is made ahead after a session is not to be a part of the floor.
        timed(connection, &health)?;
        floor.push(timed(connection, &health)?);
        let (session, took) = create(connection, template, worktree)?;
        durations.push(took);
        made.push(session);
    }
    made.iter().try_for_each(|session| connection.close(session))?;
    Ok(Sample::new(durations).p50() / Sample::new(floor).p50())
}

fn create(connection: &mut Connection, template: &str, worktree: &Path) -> Result<(String, f64)> {
    let request = new_session(template, worktree);
    let begin = Instant::now();
    let session = connection.send_for_json(&request)?;
    let took = begin.elapsed();
    Ok((id(&session)?, micros(took)))
}

fn with_lodash(bench: &mut Bench, connection: &mut Connection, worktree: &Path, lodash: &Path) -> Result<()> {
    let template = connection.template_with_lodash("with lodash", &json!({}))?;
    for (index, code) in STARTUP.iter().enumerate() {
        let path = format!("startup{index}.js");
        write(worktree, &path, code)?;
        let file = json!({ "path": path, "order_index": index });
        connection.call("POST", &format!("/templates/{template}/startup-files"), Some(&file))?;
    }
    let (mut firsts, mut later) = (Vec::new(), Vec::new());
    for round in 0..bench.rounds() {
        let scripts = time_of_scripts(bench, lodash)?;
        let change = json!({ "settings": { "limits": { "wall_ms": 20_000 + round } } });
        connection.call("PATCH", &format!("/templates/{template}"), Some(&change))?;
        let (session, took) = create(connection, &template, worktree)?;
        connection.close(&session)?;
        firsts.push(took / scripts);
        later.push(against_floor(bench, connection, &template, worktree)?);
    }
    bench.report.target(WITH_LODASH, &later, "after the first")?;
    bench.report.target(FIRST, &firsts, "its scripts: lodash and 3 startup files, run in this process")
}

/// The microseconds that the scripts alone take in a fresh instance.
fn time_of_scripts(bench: &Bench, lodash: &Path) -> Result<f64> {
    let (lodash, limits) = (fs::read_to_string(lodash)?, Limits::default());
    let work = || {
        let mut instance = engine::create(&engine::open(&bench.code_cache())?, None, &limits)?;
        let library = ProgramKind::Library { global: "_" };
        let mut took = engine::run(instance.as_mut(), &lodash, library, &limits)?.took;
        for code in STARTUP {
            let file = ProgramKind::File { args: &[], env: &[].into() };
            took += engine::run(instance.as_mut(), code, file, &limits)?.took;
        }
        Ok(micros(took))
    };
    engine::on_large_stack(work)
}

/// Instances from an image with lodash, in this process.
fn stamp(bench: &mut Bench, lodash: &Path) -> Result<()> {
    let (lodash, limits) = (fs::read_to_string(lodash)?, Limits::default());
    let engine = engine::open(&bench.code_cache())?;
    let image = engine::on_large_stack(|| engine::image(&engine, &lodash))?;
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds() {
        let mut durations = Vec::new();
        for _ in 0..bench.scaled(STAMPS) {
            let begin = Instant::now();
            let instance = engine::create(&engine, Some(&image), &limits)?;
            durations.push(micros(begin.elapsed()));
            drop(instance);
        }
        let sample = Sample::new(durations);
        p50.push(sample.p50());
        p99.push(sample.p99());
    }
    bench.report.target(STAMP_P50, &p50, "in this process, from an image with lodash")?;
    bench.report.target(STAMP_P99, &p99, "")
}
