//! The daemon against the service that somebody would otherwise write: Node's HTTP server with a context of `node:vm` per
//! session. It records nothing, limits nothing and loses everything when it ends.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::json;

use crate::{
    Result,
    api::{health, id, new_session, repl},
    bench::Bench,
    daemon::Daemon,
    http::Connection,
    load::time,
};

const SCRIPT: &str = include_str!("../../competitors/service.js");
const CALLS: usize = 2000;
const SESSIONS: usize = 200;

pub fn measure(bench: &mut Bench) -> Result<()> {
    let Some(lodash) = bench.lodash_or_skip(&["services"]) else { return Ok(()) };
    let node = match Node::start(bench, &lodash) {
        Ok(node) => node,
        Err(error) => {
            bench.report.skip("a service of node:http and node:vm", &error.to_string());
            return Ok(());
        }
    };
    let folder = bench.temporary()?;
    let daemon = Daemon::start(bench, folder.path())?;
    let template = daemon.connect()?.template_with_lodash("with lodash", &json!({}))?;
    let (mut own, mut theirs) = (Rounds::default(), Rounds::default());
    for _ in 0..bench.rounds() {
        own.add(bench, &mut daemon.connect()?, &template, folder.path())?;
        theirs.add(bench, &mut Connection::open(node.address)?, "any", folder.path())?;
    }
    own.report(bench, "vm-system");
    theirs.report(bench, "node:vm");
    Ok(())
}

#[derive(Default)]
struct Rounds {
    health: Vec<f64>,
    create: Vec<f64>,
    repl: Vec<f64>,
}

impl Rounds {
    fn add(&mut self, bench: &Bench, connection: &mut Connection, template: &str, worktree: &Path) -> Result<()> {
        self.health.push(time(connection, &health(), bench.scaled(CALLS))?.p50());
        self.create.push(time(connection, &new_session(template, worktree), bench.scaled(SESSIONS))?.p50());
        let session = id(&connection.send_for_json(&new_session(template, worktree))?)?;
        self.repl.push(time(connection, &repl(&session, "1+1"), bench.scaled(CALLS))?.p50());
        Ok(())
    }

    fn report(&self, bench: &mut Bench, name: &str) {
        bench.report.info(&format!("{name} over HTTP: health, p50"), "us", &self.health, "");
        bench.report.info(&format!("{name} over HTTP: session with lodash, p50"), "us", &self.create, "");
        bench.report.info(&format!("{name} over HTTP: 1+1, p50"), "us", &self.repl, "");
    }
}

struct Node {
    process: Child,
    address: SocketAddr,
}

impl Node {
    fn start(bench: &Bench, lodash: &Path) -> Result<Self> {
        let folder = bench.folder.join("node");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("service.js"), SCRIPT)?;
        let mut command = Command::new("node");
        command.arg(folder.join("service.js")).arg(lodash).stdout(Stdio::piped());
        let process = command.spawn().map_err(|error| format!("node cannot be run: {error}"))?;
        let mut node = Self { process, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut line = String::new();
        BufReader::new(node.process.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
        node.address.set_port(line.trim().parse().map_err(|_| format!("node said {line:?}"))?);
        Ok(node)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself, and there is nobody left to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
