//! The CPU time of a command counts as its execution's.

use std::{
    num::NonZeroUsize,
    thread,
    time::{Duration, Instant},
};

use super::{Bounds, descendants::Family};

/// Looking costs a glance at every process of the system, so it is not done more often than this.
const PAUSE: Duration = Duration::from_millis(20);

/// Reads off what a command has used, and has it charged.
pub(super) struct Meter {
    charged: Duration,
    /// Before this moment the limit cannot be reached, with all cores at work.
    look_at: Instant,
    cores: u32,
}

impl Meter {
    pub fn new(bounds: &Bounds<'_>) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let cores = u32::try_from(cores).unwrap_or(u32::MAX);
        let mut meter = Self { charged: Duration::ZERO, look_at: Instant::now(), cores };
        meter.charge(Duration::ZERO, bounds);
        meter
    }

    /// Looks, if it is time to.
    pub fn watch(&mut self, family: &mut Family, bounds: &Bounds<'_>) {
        if Instant::now() >= self.look_at {
            self.charge(family.cpu_time(), bounds);
        }
    }

    /// Charges what has come to this since the last time.
    pub fn charge(&mut self, cpu: Duration, bounds: &Bounds<'_>) {
        let left = (bounds.spend)(cpu.saturating_sub(self.charged));
        self.charged = cpu;
        self.look_at = Instant::now() + PAUSE.max(left / self.cores);
    }
}
