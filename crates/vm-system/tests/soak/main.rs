//! Random work for a while, friendly and hostile, and afterwards the daemon is as it was: no memory, thread, file, process or
//! mapping is left of it, and no session has lost its state.
//!
//! | module | what it holds |
//! |---|---|
//! | `work` | what is done, at random |
//! | `dice` | random numbers that can be had again |
//! | `figures` | what the daemon holds of the system |
//! | `support` | what the tests stand on |
//!
//! `make soak` takes 20 minutes, `cargo test` a few seconds. `VM_SOAK_SECONDS` says how long, `VM_SOAK_SEED` repeats a run.
#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod dice;
mod figures;
#[path = "../hostile/scripts.rs"]
mod scripts;
#[path = "../support/mod.rs"]
mod support;
mod work;

use std::{
    env,
    fmt::Debug,
    str::FromStr,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use dice::Dice;
use figures::Figures;
use support::{
    daemon::{Daemon, wait_for},
    document, http,
};
use work::Worker;

/// As many sessions at a time, and as many executions.
const SESSIONS: usize = 200;
const WORKERS: usize = 2;
/// Without `VM_SOAK_SECONDS`. It takes half a minute then, most of which is waiting for threads that nobody needs to end.
const SECONDS: u64 = 6;
/// How often the figures are shown meanwhile.
const SHOWN: Duration = Duration::from_secs(60);

fn variable<T: FromStr<Err: Debug>>(name: &str) -> Option<T> {
    env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Works with `SESSIONS` sessions until the time has come, and closes them.
fn work(daemon: &Daemon, seed: u64, until: Instant) {
    thread::scope(|scope| {
        let workers = (0..WORKERS).map(|number| {
            let mut worker = Worker::new(daemon, Dice::new(seed + number as u64), number, SESSIONS / WORKERS);
            scope.spawn(move || {
                while Instant::now() < until {
                    worker.act();
                }
                worker.finish()
            })
        });
        let workers: Vec<_> = workers.collect();
        let mut shown = Instant::now();
        while !workers.iter().all(|worker| worker.is_finished()) {
            thread::sleep(Duration::from_millis(100));
            if shown.elapsed() > SHOWN {
                eprintln!("meanwhile: {}", Figures::of(daemon));
                shown = Instant::now();
            }
        }
        for worker in workers {
            eprintln!("{}", worker.join().unwrap());
        }
    });
}

/// What it holds when nothing is to be done, and images are not kept for sessions to come.
fn at_rest(daemon: &Daemon) -> Figures {
    daemon.post_nothing("/runtime/gc").ok(200);
    wait_for(|| Figures::of(daemon).if_at_rest())
}

#[test]
fn random_work_leaves_nothing_behind_and_takes_no_state_away() {
    let time = Duration::from_secs(variable("VM_SOAK_SECONDS").unwrap_or(SECONDS));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = variable("VM_SOAK_SEED").unwrap_or(now.as_secs());
    eprintln!("VM_SOAK_SEED={seed} VM_SOAK_SECONDS={}", time.as_secs());
    let daemon = Daemon::start();

    // What is made once stays: tables, connections, the allocator's pools.
    work(&daemon, seed, Instant::now() + time / 5);
    let begin = at_rest(&daemon);
    eprintln!("at the beginning: {begin}");

    work(&daemon, seed + WORKERS as u64, Instant::now() + time / 5 * 4);
    let end = at_rest(&daemon);
    eprintln!("at the end: {end}");

    assert!(end.is_like(&begin), "{end}, but at the beginning {begin}");
    assert_eq!(daemon.get("/runtime/summary").ok(200)["active_sessions"], 0);
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
}
