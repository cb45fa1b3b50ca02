//! What the kernel says of a process: its memory and its CPU time.

use std::{fs, time::Duration};

use rustix::param::clock_ticks_per_second;

use crate::Result;

/// Bytes of a process, and of all that it has started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// In memory, shared pages counted once per mapping.
    pub rss: f64,
    /// The same, with each shared page divided among those who share it: what the process really costs.
    pub pss: f64,
}

pub fn memory(pid: u32) -> Result<Memory> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let bytes = |name: &str| -> Result<f64> {
        let line =
            rollup.lines().find_map(|line| line.strip_prefix(name)).ok_or(format!("no {name} in smaps_rollup"))?;
        let kib: f64 = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024.0)
    };
    let mut memory = Memory { rss: bytes("Rss")?, pss: bytes("Pss")? };
    for child in children(pid)? {
        // It may have ended meanwhile, and is then no part of it.
        let Memory { rss, pss } = self::memory(child).unwrap_or_default();
        memory.rss += rss;
        memory.pss += pss;
    }
    Ok(memory)
}

fn children(pid: u32) -> Result<Vec<u32>> {
    let mut children = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let list = fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        children.extend(list.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
    }
    Ok(children)
}

/// The CPU time that a process has had, in its own code and in the kernel's.
pub fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may contain anything.
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| -> Result<u64> { Ok(fields.get(at).ok_or("a short stat line")?.parse()?) };
    Ok(Duration::from_secs_f64((ticks(11)? + ticks(12)?) as f64 / clock_ticks_per_second() as f64))
}
