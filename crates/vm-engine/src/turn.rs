//! Code on a thread: where to reach it, since when it is there, and how much it has computed.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    cpu::{self, Thread},
    memory::Mapping,
};

/// How long ordinary code has to notice that it is asked to stop, before its memory is taken away: so long on the clock,
/// and so much of it on a core. On a machine that has no core for it, it has longer.
pub(crate) const GRACE: Duration = Duration::from_millis(50);
const GRACE_ON_CORE: Duration = Duration::from_millis(5);
const MAX_GRACE: Duration = Duration::from_secs(1);
/// A turn that takes longer than this is a long one.
pub(crate) const SHORT: Duration = Duration::from_millis(10);
/// A long one that has computed for so long lets others go first. One that only waited for a core would wait even longer.
const MUCH: Duration = Duration::from_millis(5);

/// The memory of the instance that a run executes in.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub mapping: Arc<Mapping>,
    pub stop_flag: u32,
}

/// One stretch of an execution on one thread.
#[derive(Debug)]
pub(crate) struct Turn {
    target: Target,
    thread: Thread,
    /// A thread that works for it while its own one waits.
    helper: Option<Thread>,
    /// CPU time of helpers that are through.
    helped: Duration,
    began: Instant,
    cpu_at_begin: Duration,
    is_long: bool,
    is_lowered: bool,
    /// When it was asked to stop, and the CPU time of its threads then.
    asked: Option<(Instant, Option<Duration>)>,
}

impl Target {
    pub fn raise_flag(&self) {
        // Refused only where the memory has been taken away, which stops the code even better.
        let _ = self.mapping.write(self.stop_flag, &[1]);
    }
}

impl Turn {
    /// On the calling thread, from now on.
    pub fn begin(target: Target) -> Self {
        let (began, cpu_at_begin) = (Instant::now(), cpu::own_time());
        Self {
            target,
            thread: Thread::current(),
            helper: None,
            helped: Duration::ZERO,
            began,
            cpu_at_begin,
            is_long: false,
            is_lowered: false,
            asked: None,
        }
    }

    /// At its end, on its own thread: the CPU time that it took.
    pub fn end(self) -> Duration {
        if self.is_lowered {
            cpu::remember_lowered();
        }
        (cpu::own_time() + self.helped).saturating_sub(self.cpu_at_begin)
    }

    /// The calling thread, which was started for it, helps from now on. It has the priority of the one that started it.
    pub fn begin_help(&mut self) {
        self.helper = Some(Thread::current());
    }

    /// At the end of the help, on the helper's thread.
    pub fn end_help(&mut self) {
        self.helper = None;
        self.helped += cpu::own_time();
    }

    pub fn began(&self) -> Instant {
        self.began
    }

    /// The CPU time that it has taken so far, as another thread sees it. Where nobody tells, it is taken to have computed
    /// all the time.
    pub fn cpu_time(&self, now: Instant) -> Duration {
        self.threads_time().map_or(now - self.began, |time| time.saturating_sub(self.cpu_at_begin))
    }

    /// The CPU time of its threads since they were started.
    fn threads_time(&self) -> Option<Duration> {
        let helper = self.helper.map_or(Some(Duration::ZERO), Thread::cpu_time)?;
        Some(self.thread.cpu_time()? + self.helped + helper)
    }

    /// Whether it turns out at this moment to be a long one.
    pub fn becomes_long(&mut self, now: Instant) -> bool {
        let was_long = mem::replace(&mut self.is_long, now >= self.began + SHORT);
        self.is_long && !was_long
    }

    /// Lets others go first, if it is a long one that computes; or tells when to look again.
    pub fn step_back(&mut self, now: Instant) -> Option<Instant> {
        if self.is_lowered {
            return None;
        }
        if !self.is_long || self.cpu_time(now) < MUCH {
            // the longer it waits, the rarer
            return Some(now + (now - self.began).max(SHORT));
        }
        self.is_lowered = true;
        self.thread.lower_priority();
        if let Some(helper) = self.helper {
            helper.lower_priority();
        }
        None
    }

    pub fn ask_to_stop(&self) {
        self.target.raise_flag();
    }

    /// From now on it has its grace; answers whether it had none before.
    pub fn note_asked(&mut self, now: Instant) -> bool {
        let begins = self.asked.is_none();
        if begins {
            self.asked = Some((now, self.threads_time()));
        }
        begins
    }

    /// Takes the memory away if the code was asked to stop and has had the time to; or tells when to try again.
    pub fn force(&self, now: Instant) -> Option<Instant> {
        let (asked_at, cpu_when_asked) = self.asked?;
        let on_core = self.threads_time().zip(cpu_when_asked).map(|(time, then)| time.saturating_sub(then));
        if on_core.is_none_or(|time| time >= GRACE_ON_CORE) || now >= asked_at + MAX_GRACE {
            self.target.mapping.revoke();
            return None;
        }
        Some(now + GRACE_ON_CORE)
    }
}
