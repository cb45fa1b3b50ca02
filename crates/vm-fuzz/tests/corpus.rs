//! Every input that fuzzing has found worth keeping.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use vm_fuzz::{checkpoint, event, host_call, path, request};

fn replay(name: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let inputs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() > 2, "{} inputs", inputs.len());
    inputs.iter().for_each(|input| check(input));
}

#[test]
fn requests() {
    replay("request", request::check);
}

#[test]
fn paths() {
    replay("path", path::check);
}

#[test]
fn host_calls() {
    replay("host_call", host_call::check);
}

#[test]
fn events() {
    replay("event", event::check);
}

#[test]
fn checkpoints() {
    replay("checkpoint", checkpoint::check);
}
