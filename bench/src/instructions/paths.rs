//! The paths: each is gone so many times, in a process that does nothing else.

use std::{fs, path::Path};

use serde_json::json;
use vm_engine::{Engine, Origin, ProgramKind, Setup};
use vm_model::{Execution, Limits, SessionId};
use vm_store::{Change, Effect, Store};

use crate::{Result, bench::Bench, daemon::Daemon, engine, sections::size::copy};

/// What every call of a path has, made beforehand.
struct Place<'a> {
    folder: &'a Path,
    times: usize,
}

#[derive(Clone, Copy)]
pub struct HotPath {
    pub name: &'static str,
    /// Enough that what happens once does not count.
    pub times: usize,
    go: fn(&Place<'_>) -> Result<()>,
}

pub const PATHS: [HotPath; 10] = [
    HotPath { name: "engine: 1+1, with what it changed", times: 100, go: one_plus_one },
    HotPath { name: "engine: a call of a function, 1,000 times", times: 10, go: calls },
    HotPath { name: "engine: 100 lines of output", times: 20, go: lines },
    HotPath { name: "engine: 1,000 objects changed", times: 20, go: objects },
    HotPath { name: "engine: stamping an instance", times: 100, go: stamp },
    HotPath { name: "engine: restoring 200 pages", times: 20, go: restore },
    HotPath { name: "store: an execution with its change", times: 200, go: record },
    HotPath { name: "store: reading 1,000 events", times: 20, go: events },
    HotPath { name: "store: reading a session with its state", times: 100, go: session },
    HotPath { name: "model: an execution as JSON", times: 500, go: answer },
];

const STATE: &str = "var rows = Array.from({ length: 3800 }, (_, i) => ({ i, text: 'item ' + i })); rows.length";
const EXECUTION: &str = "execution.json";

/// A database with a session, and an execution of it as a daemon has answered it.
pub fn prepare(bench: &Bench, folder: &Path) -> Result<()> {
    let daemon = Daemon::start(bench, folder)?;
    let mut connection = daemon.connect()?;
    let template = connection.template("plain", &json!({}))?;
    let session = connection.session(&template, folder)?;
    connection.run(&session, STATE)?;
    let execution = connection.run(&session, "for (let i = 0; i < 998; i++) console.log('line', i)")?;
    daemon.stop()?;
    fs::write(folder.join(EXECUTION), execution.to_string())?;
    Ok(())
}

/// Goes one path, as the process that is counted.
pub fn run(name: &str, times: usize, folder: &Path) -> Result<()> {
    let path = PATHS.iter().find(|path| path.name == name).ok_or_else(|| format!("no path is called {name:?}"))?;
    (path.go)(&Place { folder, times })
}

impl Place<'_> {
    /// Runs a program again and again in one instance, after another one that is run once.
    fn in_an_instance(&self, before: &str, program: &str) -> Result<()> {
        engine::on_large_stack(|| {
            let (engine, limits) = (engine::open(&self.folder.join("code"))?, Limits::default());
            let mut instance = engine::create(&engine, None, &limits)?;
            engine::run(instance.as_mut(), before, ProgramKind::Repl, &limits)?;
            for _ in 0..self.times {
                engine::run(instance.as_mut(), program, ProgramKind::Repl, &limits)?;
                instance.change().ok_or("it has changed nothing")?;
            }
            Ok(())
        })
    }

    fn store(&self) -> Result<Store> {
        Ok(Store::open(&self.folder.join("bench.db"))?)
    }

    fn execution(&self) -> Result<Execution> {
        Ok(serde_json::from_slice(&fs::read(self.folder.join(EXECUTION))?)?)
    }
}

fn one_plus_one(place: &Place<'_>) -> Result<()> {
    place.in_an_instance("1", "1+1")
}

fn calls(place: &Place<'_>) -> Result<()> {
    place.in_an_instance(
        "function add(a, b) { return a + b }",
        "let s = 0; for (let i = 0; i < 1000; i++) s = add(s, i); s",
    )
}

fn lines(place: &Place<'_>) -> Result<()> {
    place.in_an_instance("1", "for (let i = 0; i < 100; i++) console.log('line', i)")
}

fn objects(place: &Place<'_>) -> Result<()> {
    place.in_an_instance(STATE, "for (let i = 0; i < 1000; i++) rows[i].i++")
}

fn stamp(place: &Place<'_>) -> Result<()> {
    engine::on_large_stack(|| {
        let (engine, limits) = (engine::open(&place.folder.join("code"))?, Limits::default());
        (0..place.times).try_for_each(|_| engine::create(&engine, None, &limits).map(drop))
    })
}

fn restore(place: &Place<'_>) -> Result<()> {
    engine::on_large_stack(|| {
        let (engine, limits) = (engine::open(&place.folder.join("code"))?, Limits::default());
        let mut instance = engine::create(&engine, None, &limits)?;
        engine::run(instance.as_mut(), STATE, ProgramKind::Repl, &limits)?;
        let changes: Vec<_> = instance.state().into_iter().collect();
        for _ in 0..place.times {
            let origin = Origin { changes: &changes, ..Origin::default() };
            engine.create(origin, &Setup::plain(&limits), Box::new(|_, _, _| Err(Vec::new())))?;
        }
        Ok(())
    })
}

fn record(place: &Place<'_>) -> Result<()> {
    let (store, execution) = (place.store()?, Execution { events: None, ..place.execution()? });
    // as large as that of a `1+1`
    let change = Change { memory: vec![7; 1500], host: None, is_whole: false };
    (0..place.times).try_for_each(|_| Ok(store.insert_execution(&copy(&execution), Effect::Saved(&change))?))
}

fn events(place: &Place<'_>) -> Result<()> {
    let (store, id) = (place.store()?, place.execution()?.id);
    for _ in 0..place.times {
        let events = store.events(id, 0)?.unwrap_or_default();
        assert_eq!(events.len(), 1000);
    }
    Ok(())
}

fn session(place: &Place<'_>) -> Result<()> {
    let (store, id): (_, SessionId) = (place.store()?, place.execution()?.session_id);
    (0..place.times).try_for_each(|_| store.stored_session(id)?.map(drop).ok_or_else(|| "it is not there".into()))
}

fn answer(place: &Place<'_>) -> Result<()> {
    let execution = place.execution()?;
    (0..place.times).try_for_each(|_| Ok(serde_json::to_vec(&execution).map(drop)?))
}
