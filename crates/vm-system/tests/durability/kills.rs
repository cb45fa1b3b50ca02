//! The daemon is killed at any moment, under load, while it starts, while it ends and while nothing can be written: what was
//! answered is there afterwards, once, and nothing else is. `make torture` does it a thousand times.

use std::{
    collections::HashSet,
    env,
    process::Stdio,
    sync::atomic::Ordering::SeqCst,
    thread,
    time::{Duration, SystemTime},
};

use rustix::process::{Signal, kill_process};
use tempfile::TempDir;

use crate::{
    binary,
    clients::{Client, World},
    daemon::{CODE_CACHE, Daemon},
    dice::Dice,
    full_disk::limit,
    http::text,
    model::End,
};

const CLIENTS: u64 = 4;

/// As many in `cargo test`: a few seconds.
const FEW_ROUNDS: u64 = 12;

/// Sessions leave the memory as soon as they can, so that the daemon is killed while they do.
const FLAGS: [&str; 2] = ["--hibernate-after", "1"];

/// A number that this variable may give.
fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap())
}

fn sleep(dice: &mut Dice, milliseconds: u64) {
    thread::sleep(Duration::from_micros(dice.below(milliseconds * 1000)));
}

#[test]
fn what_was_answered_is_there_once_however_often_the_daemon_is_killed() {
    let rounds = variable("TORTURE_ROUNDS").unwrap_or(FEW_ROUNDS);
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = variable("TORTURE_SEED").unwrap_or_else(now);
    println!("TORTURE_SEED={seed}");
    let mut dice = Dice::new(seed);
    let mut daemon = Daemon::start_with(tempfile::tempdir().unwrap(), &FLAGS);
    let world = World::new(&daemon);
    let mut clients: Vec<_> = (0..CLIENTS).map(|at| Client::new(Dice::new(seed ^ (at + 1) << 32))).collect();
    let mut compared = 0;
    for round in 1..=rounds {
        let end = if dice.below(5) == 0 { End::InOrder } else { End::Killed };
        let is_full = load(&daemon, &world, &mut clients, &mut dice, end);
        // what can no more be stored is lost as with a kill
        let end = if is_full { End::Killed } else { end };
        let folder = ended(daemon);
        for _ in 0..dice.below(3) {
            kill_at_start(&folder, &mut dice);
        }
        daemon = Daemon::start_with(folder, &FLAGS);
        compared += check(&daemon, &mut clients, end);
        if round % 50 == 0 || round == rounds {
            println!("{round} rounds, {compared} executions compared");
        }
    }
}

/// Lets the clients loose, and ends the daemon at some moment; whether it cannot write then.
fn load(daemon: &Daemon, world: &World, clients: &mut [Client], dice: &mut Dice, end: End) -> bool {
    world.is_ending.store(false, SeqCst);
    world.is_full.store(dice.below(4) == 0, SeqCst);
    let ends_full = world.is_full.load(SeqCst) && dice.below(3) == 0;
    thread::scope(|scope| {
        for client in clients {
            scope.spawn(|| client.work(daemon, world));
        }
        sleep(dice, 400);
        if world.is_full.load(SeqCst) {
            limit(daemon, true);
            sleep(dice, 200);
            limit(daemon, ends_full);
            sleep(dice, 200);
        }
        world.is_ending.store(true, SeqCst);
        if end == End::InOrder || dice.below(5) == 0 {
            kill_process(daemon.pid(), Signal::TERM).unwrap();
        }
        if end == End::Killed {
            // also one that is about to end in order
            sleep(dice, 20);
            kill_process(daemon.pid(), Signal::KILL).unwrap();
        }
    });
    ends_full
}

/// What a daemon leaves behind that has ended, or is about to.
fn ended(mut daemon: Daemon) -> TempDir {
    daemon.wait();
    daemon.into_folder()
}

/// Starts a daemon and kills it before it serves, or just then.
fn kill_at_start(folder: &TempDir, dice: &mut Dice) {
    let mut command = binary::command(folder.path());
    command.args(["serve", "--db", "x.db", "--listen", "127.0.0.1:0", "--code-cache", CODE_CACHE]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    sleep(dice, 150);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Compares all sessions with what their clients know; how many executions that were.
fn check(daemon: &Daemon, clients: &mut [Client], end: End) -> usize {
    let checked = thread::scope(|scope| {
        let check = |client: &mut Client| {
            let checked = client.models.iter().chain(&client.closed).map(|model| model.len()).sum::<usize>();
            client.closed.drain(..).for_each(|mut model| assert!(!model.check(daemon, end)));
            client.models.retain_mut(|model| model.check(daemon, end));
            checked
        };
        let threads: Vec<_> = clients.iter_mut().map(|client| scope.spawn(move || check(client))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    check_others(daemon, clients);
    checked
}

/// Sessions whose creation was not answered are there or not; none is in between, and those that are there can be used.
fn check_others(daemon: &Daemon, clients: &[Client]) {
    assert_eq!(daemon.get("/sessions?status=starting").ok(200).as_array().unwrap().len(), 0);
    let known: HashSet<_> = clients.iter().flat_map(|client| &client.models).map(|model| model.id.as_str()).collect();
    for session in daemon.get("/sessions?status=ready").ok(200).as_array().unwrap() {
        let id = text(&session["id"]);
        if !known.contains(id.as_str()) {
            assert_eq!(daemon.preview(&id, "1 + 1"), "2", "{session}");
            daemon.delete(&format!("/sessions/{id}")).ok(200);
        }
    }
}
