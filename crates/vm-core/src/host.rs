//! A session's functions of the host, as its engine and its owner share them.
//!
//! While a session starts, what its scripts read is written down: another session may begin with the same image if it would
//! read the same.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vm_engine::{HostFunctions, Run};
use vm_model::LimitKind;
use vm_modules::{
    HostCalls, NativeError,
    host_calls::{Repeats, repeats},
    natives,
    net::fetch::IsStopped,
};

/// Cheap to clone; all clones are the same functions.
#[derive(Clone)]
pub(crate) struct Host(Arc<Shared>);

struct Shared {
    calls: Mutex<HostCalls>,
    /// What was read since the session began to start; `None` once it has started.
    readings: Mutex<Option<Vec<Reading>>>,
}

/// What a script read, by which call, and the hash of what it was told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Reading {
    name: String,
    request: Vec<u8>,
    answer: [u8; 32],
}

impl Host {
    pub fn new(calls: HostCalls) -> Self {
        Self(Arc::new(Shared { calls: Mutex::new(calls), readings: Mutex::default() }))
    }

    /// As an instance calls them.
    pub fn functions(&self) -> HostFunctions {
        let host = self.clone();
        Box::new(move |name, request, run| {
            let answer = host.call(name, request, run).map_err(|error| error.encode());
            match repeats(name) {
                Repeats::Always => {}
                Repeats::WhileFilesStay => host.note(name, request, &answer),
                Repeats::Never => run.note_unrepeatable(),
            }
            answer
        })
    }

    /// From now on what is read is noted.
    pub fn begin_noting(&self) {
        *lock(&self.0.readings) = Some(Vec::new());
    }

    /// What has been noted so far.
    pub fn readings(&self) -> Vec<Reading> {
        lock(&self.0.readings).clone().unwrap_or_default()
    }

    pub fn end_noting(&self) {
        *lock(&self.0.readings) = None;
    }

    /// Whether a script that reads the same would be told the same.
    pub fn repeats(&self, readings: &[Reading]) -> bool {
        let never: IsStopped = Arc::new(|| false);
        let mut calls = lock(&self.0.calls);
        readings.iter().all(|reading| {
            let answer = calls.call(&reading.name, &reading.request, &never, &|work| work(), &|_| Duration::ZERO);
            let answer = answer.map_err(|error| error.encode());
            hash(&answer) == reading.answer
        })
    }

    /// What is to be stored beside the memory; nothing if that is what it was the last time.
    pub fn state(&self) -> Option<Vec<u8>> {
        lock(&self.0.calls).natives.state().unwrap_or_else(|error| {
            tracing::warn!(%error, "an open database could not be stored");
            None
        })
    }

    /// What was to be stored was not.
    pub fn forget_state(&self) {
        lock(&self.0.calls).natives.forget_state();
    }

    pub fn restore(&self, state: &[u8]) {
        lock(&self.0.calls).natives.restore(state);
    }

    /// Whether a transaction is open, which would be lost without the machine.
    pub fn is_in_transaction(&self) -> bool {
        lock(&self.0.calls).natives.is_in_transaction()
    }

    fn call(&self, name: &str, request: &[u8], run: &Arc<Run>) -> Result<Vec<u8>, NativeError> {
        let asking = run.clone();
        let is_stopped: IsStopped = Arc::new(move || asking.is_stopped());
        lock(&self.0.calls)
            .call(name, request, &is_stopped, &|work| run.charge(work), &|cpu| run.spend(cpu))
            .inspect_err(|error| {
                if error.code == natives::error::OUTPUT_LIMIT {
                    run.exceed(LimitKind::MaxOutputKb);
                }
            })
    }

    fn note(&self, name: &str, request: &[u8], answer: &Result<Vec<u8>, Vec<u8>>) {
        if let Some(readings) = &mut *lock(&self.0.readings) {
            readings.push(Reading { name: name.into(), request: request.into(), answer: hash(answer) });
        }
    }
}

fn hash(answer: &Result<Vec<u8>, Vec<u8>>) -> [u8; 32] {
    let (kind, bytes) = match answer {
        Ok(bytes) => (b"+", bytes),
        Err(bytes) => (b"-", bytes),
    };
    Sha256::new().chain_update(kind).chain_update(bytes).finalize().into()
}

/// A function that panicked has ended its execution; the session's later ones find what it left.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
