//! The CPU time and the priority of a thread, for itself and for the watchdog.

use std::{cell::Cell, fs, time::Duration};

use rustix::{
    process::{Pid, setpriority_process},
    thread::gettid,
    time::{ClockId, clock_gettime},
};

/// A thread of this priority gets a tenth of a core that others want, and all of one that nobody wants.
const LOW: i32 = 10;

thread_local! {
    static IS_LOWERED: Cell<bool> = const { Cell::new(false) };
}

/// A thread, as others see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thread(Pid);

impl Thread {
    pub fn current() -> Self {
        Self(gettid())
    }

    /// The CPU time that it has used so far; late by a tick of the kernel's at most. `None` where the kernel does not tell.
    pub fn cpu_time(self) -> Option<Duration> {
        let path = format!("/proc/self/task/{}/schedstat", self.0.as_raw_nonzero());
        let nanoseconds = fs::read_to_string(path).ok()?.split(' ').next()?.parse().ok()?;
        Some(Duration::from_nanos(nanoseconds))
    }

    /// Lets everybody else go first, from now on: the way back needs a privilege.
    pub fn lower_priority(self) {
        // Where it is refused, the kernel shares the cores evenly, which is less fair and no harm.
        let _ = setpriority_process(Some(self.0), LOW);
    }
}

/// The CPU time that the calling thread has used so far.
pub(crate) fn own_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

pub(crate) fn remember_lowered() {
    IS_LOWERED.set(true);
}

/// Whether the calling thread's priority was lowered by an execution that took long. Such a thread is to end, since it
/// would be slow at everything it does next.
#[must_use]
pub fn is_lowered() -> bool {
    IS_LOWERED.get()
}
