//! The daemon: the real binary on a real port with a real database.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    Result,
    bench::Bench,
    http::Connection,
    process::{self, Memory},
};

/// A running daemon; killed when dropped.
pub struct Daemon {
    process: Child,
    pub address: SocketAddr,
}

impl Daemon {
    /// Starts on the database that this folder may have, with the code cache that all of the run share.
    pub fn start(bench: &Bench, folder: &Path) -> Result<Self> {
        Self::start_with(bench, folder, &bench.code_cache())
    }

    pub fn start_with(bench: &Bench, folder: &Path, code_cache: &Path) -> Result<Self> {
        let log = folder.join("daemon.log");
        let mut process = Command::new(&bench.vm_system)
            .args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--db"])
            .arg(folder.join("bench.db"))
            .arg("--code-cache")
            .arg(code_cache)
            .arg("--cache-dir")
            .arg(bench.library_cache())
            // What is to be live stays live, however long a section takes.
            .args(["--hibernate-after", "86400"])
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log)?)
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
        let address = line.trim().rsplit('/').next().unwrap_or_default().parse();
        match address {
            Ok(address) => Ok(Self { process, address }),
            Err(_) => {
                process.kill()?;
                process.wait()?;
                Err(format!("the daemon did not start; it says: {}", fs::read_to_string(log)?).into())
            }
        }
    }

    pub fn connect(&self) -> Result<Connection> {
        Connection::open(self.address)
    }

    pub fn memory(&self) -> Result<Memory> {
        process::memory(self.process.id())
    }

    pub fn cpu(&self) -> Result<Duration> {
        process::cpu(self.process.id())
    }

    /// Asks it to end and waits for that, so that all of the database is in its file.
    pub fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.process), Signal::TERM)?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself, and there is nobody left to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
