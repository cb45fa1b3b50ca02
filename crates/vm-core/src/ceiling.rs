//! The ceiling on the memory of the whole daemon: new work is refused before the machine swaps.

use std::{
    fs,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::param::page_size;

use crate::Error;

/// How long a reading counts; looking costs microseconds, and nothing grows much meanwhile.
const FRESH: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct Ceiling {
    max_bytes: u64,
    reading: Mutex<Option<(Instant, u64)>>,
}

impl Ceiling {
    /// `None`: four fifths of what this process may have.
    pub fn new(max_bytes: Option<u64>) -> Self {
        let max_bytes = max_bytes.or_else(|| Some(available()? / 5 * 4)).unwrap_or(u64::MAX);
        Self { max_bytes, reading: Mutex::default() }
    }

    /// Whether there is room for new work.
    pub fn check(&self) -> Result<(), Error> {
        let used = self.used();
        if used < self.max_bytes {
            return Ok(());
        }
        Err(Error::OutOfMemory { used_mb: used >> 20, max_mb: self.max_bytes >> 20 })
    }

    /// Whether there is soon no room any more.
    pub fn is_near(&self) -> bool {
        self.used() > self.max_bytes / 10 * 9
    }

    fn used(&self) -> u64 {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        match *reading {
            Some((at, used)) if at.elapsed() < FRESH => used,
            _ => {
                let used = resident().unwrap_or(0);
                *reading = Some((Instant::now(), used));
                used
            }
        }
    }
}

/// The bytes of this process that are in memory.
fn resident() -> Option<u64> {
    let pages: u64 = fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * page_size() as u64)
}

/// The bytes that the machine has, or that its container may have if that is less.
fn available() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok()?;
    let kib: u64 =
        machine.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.split_whitespace().next()?.parse().ok()?;
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|max| max.trim().parse().ok());
    Some((kib << 10).min(container.unwrap_or(u64::MAX)))
}
