//! The daemon over HTTP, the real binary on a real port with a real database.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{Result, http::Connection, stats::Sample};

const WARM_UP: usize = 500;
const CALLS: usize = 5000;
const CREATIONS: usize = 500;
const CONNECTIONS: usize = 8;
const THROUGHPUT_TIME: Duration = Duration::from_secs(3);

struct Daemon {
    process: Child,
    address: SocketAddr,
}

impl Daemon {
    fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let mut process = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--db"])
            .arg(folder.join("bench.db"))
            .arg("--code-cache")
            .arg(folder.join("code"))
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
        let address = line.trim().rsplit('/').next().unwrap_or_default().parse();
        match address {
            Ok(address) => Ok(Self { process, address }),
            Err(_) => {
                process.kill()?;
                Err(format!("the daemon did not start: {line:?}").into())
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself, and there is nobody left to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn measure(binary: &Path, folder: &Path) -> Result<()> {
    let daemon = Daemon::start(binary, folder)?;
    let mut connection = Connection::open(daemon.address)?;
    let floor = time(&mut connection, CALLS, &Connection::request("GET", "/health", None), 200)?;
    floor.show("GET /health (the floor)", "1");

    let template = connection.call("POST", "/templates", Some(&json!({ "name": "bench" })))?;
    let new_session = json!({
        "template_id": template["id"], "workspace_id": "bench", "base_commit_oid": "none", "worktree_path": folder,
    });
    let session = connection.call("POST", "/sessions", Some(&new_session))?;
    let repl = time(&mut connection, CALLS, &one_plus_one(&session), 201)?;
    repl.show_against("POST /executions/repl 1+1", &floor);

    let create = Connection::request("POST", "/sessions", Some(&new_session));
    time(&mut connection, CREATIONS, &create, 201)?.show_against("POST /sessions, plain template", &floor);
    throughput(&daemon, &new_session)
}

fn one_plus_one(session: &Value) -> Vec<u8> {
    let body = json!({ "session_id": session["id"], "input": "1+1" });
    Connection::request("POST", "/executions/repl", Some(&body))
}

fn time(connection: &mut Connection, calls: usize, request: &[u8], expected: u16) -> Result<Sample> {
    let mut durations = Vec::with_capacity(calls);
    for call in 0..calls + WARM_UP.min(calls) {
        let begin = Instant::now();
        let (status, _) = connection.send(request)?;
        let took = begin.elapsed();
        if status != expected {
            return Err(format!("status {status} instead of {expected}").into());
        }
        if call >= WARM_UP.min(calls) {
            durations.push(took);
        }
    }
    Ok(Sample::new(durations))
}

/// Eight connections on eight sessions, as fast as the answers come.
fn throughput(daemon: &Daemon, new_session: &Value) -> Result<()> {
    let begin = Instant::now();
    let counts = thread::scope(|scope| {
        let load = || -> Result<usize> {
            let mut connection = Connection::open(daemon.address)?;
            let session = connection.call("POST", "/sessions", Some(new_session))?;
            let (request, mut count) = (one_plus_one(&session), 0);
            while begin.elapsed() < THROUGHPUT_TIME {
                connection.send(&request)?;
                count += 1;
            }
            Ok(count)
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(load)).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a connection failed")?).collect::<Result<Vec<_>>>()
    })?;
    let per_second = counts.iter().sum::<usize>() as f64 / begin.elapsed().as_secs_f64();
    println!("{:44} {per_second:>9.0}/s", format!("repl throughput, {CONNECTIONS} connections and sessions"));
    Ok(())
}
