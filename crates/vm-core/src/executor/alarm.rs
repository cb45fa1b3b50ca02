//! An alarm clock: it wakes the thread that waits for it, unless it is set anew before.

use std::{io, os::fd::OwnedFd, time::Duration};

use rustix::{
    io::read,
    time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime},
};

/// A timer of the kernel's. To set it takes a microsecond and wakes nobody.
pub(super) struct Alarm(OwnedFd);

impl Alarm {
    pub fn new() -> io::Result<Self> {
        Ok(Self(timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?))
    }

    /// It goes off after this time, which is not zero, and at no other.
    pub fn set(&self, after: Duration) {
        let (seconds, nanos) = (after.as_secs() as i64, after.subsec_nanos().into());
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let once = Itimerspec { it_interval: never, it_value: Timespec { tv_sec: seconds, tv_nsec: nanos } };
        // It fails for a time that is none.
        let _ = timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once);
    }

    /// Returns when it has gone off since it was set, or a signal has come.
    pub fn wait(&self) {
        let _ = read(&self.0, &mut [0; 8]);
    }
}
