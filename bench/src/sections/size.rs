//! The binary, and what a recorded execution takes in the database file.

use std::fs;

use serde_json::json;
use vm_model::{Execution, ExecutionId};
use vm_store::{Effect, Store};

use crate::{Result, bench::Bench, daemon::Daemon};

const EXECUTIONS: u64 = 2000;

pub fn measure(bench: &mut Bench) -> Result<()> {
    let binary = fs::metadata(&bench.vm_system)?.len() as f64;
    bench.report.target("release binary", &[binary / f64::from(1 << 20)], "")?;
    let stored = stored_bytes(bench)?;
    bench.report.target("stored bytes per 1+1", &[stored], "the record and its events, in the database file")
}

/// Records the same `1+1`, as a daemon has answered it, again and again: the history alone, without any state.
fn stored_bytes(bench: &Bench) -> Result<f64> {
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let mut connection = daemon.connect()?;
    let template = connection.template("plain", &json!({}))?;
    let session = connection.session(&template, folder.path())?;
    let execution: Execution = serde_json::from_value(connection.run(&session, "1+1")?)?;
    daemon.stop()?;

    let file = folder.path().join("bench.db");
    let before = fs::metadata(&file)?.len();
    let store = Store::open(&file)?;
    for _ in 0..EXECUTIONS {
        store.insert_execution(&copy(&execution), Effect::Unchanged)?;
    }
    // which folds the write-ahead log into the file
    drop(store);
    Ok((fs::metadata(&file)?.len() - before) as f64 / EXECUTIONS as f64)
}

/// The same execution with an id of its own.
pub fn copy(execution: &Execution) -> Execution {
    let mut copy = Execution { id: ExecutionId::new(), ..execution.clone() };
    for event in copy.events.iter_mut().flatten() {
        event.execution_id = copy.id;
    }
    copy
}
