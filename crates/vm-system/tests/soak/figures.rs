//! What the daemon holds of the system, as `/proc` tells.

use std::{fmt, fs};

use crate::support::daemon::Daemon;

/// One is in the network, one looks out; and one that the other two were too slow for.
const WORKERS_AT_REST: usize = 3;

pub struct Figures {
    resident_mib: usize,
    threads: usize,
    files: usize,
    mappings: usize,
    children: usize,
    /// Of the threads those that run tasks: most of them end when there is nothing to do for a while.
    workers: usize,
}

impl Figures {
    pub fn of(daemon: &Daemon) -> Self {
        let number = daemon.pid().as_raw_nonzero();
        let process = |name: &str| format!("/proc/{number}/{name}");
        let count = |name: &str| fs::read_dir(process(name)).unwrap().count();
        let status = fs::read_to_string(process("status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let resident: usize = resident.trim().trim_end_matches(" kB").parse().unwrap();
        let parents = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let stat = fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
            // `PID (NAME) STATE PARENT …`
            stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<i32>().ok()
        });
        let names = fs::read_dir(process("task")).unwrap();
        let names = names.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok());
        Self {
            workers: names.filter(|name| name.trim_end() == "worker").count(),
            resident_mib: resident >> 10,
            threads: count("task"),
            files: count("fd"),
            mappings: fs::read_to_string(process("maps")).unwrap().lines().count(),
            children: parents.filter(|parent| *parent == number.get()).count(),
        }
    }

    /// Itself, when what goes by itself after a while has gone.
    pub fn if_at_rest(self) -> Option<Self> {
        (self.workers <= WORKERS_AT_REST).then_some(self)
    }

    /// Whether there is no more than there was, give or take what the allocators and the runtime keep: after a peak of
    /// gigabytes that is some ten MiB more.
    pub fn is_like(&self, before: &Self) -> bool {
        self.resident_mib <= before.resident_mib + before.resident_mib / 2 + 32
            && self.threads <= before.threads + 1
            && self.files <= before.files + 2
            && self.mappings <= before.mappings + 50
            && self.children == 0
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident_mib, threads, files, mappings, children, .. } = self;
        write!(
            f,
            "{resident_mib} MiB, {threads} threads, {files} open files, {mappings} mappings, {children} child processes"
        )
    }
}
