//! What the threads share: the tasks that can go on, and who waits for what.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar},
    task::Waker,
};

use async_task::Runnable;

/// After so many tasks without a look at the network there is one.
const FAIR: u32 = 64;
/// Several are at work at once if it was so in as many of the last 32 times that somebody came.
const CROWD: u32 = 16;

#[derive(Default)]
pub(super) struct State {
    pub tasks: VecDeque<Runnable>,
    pub threads: usize,
    /// Where threads wait for work, without the lookout. The last one is called first, so that the others come to their end.
    pub idle: Vec<Arc<Condvar>>,
    /// A thread waits for the alarm.
    pub has_lookout: bool,
    pub is_alarm_set: bool,
    /// How often a thread took something to do; and how often it was when the alarm was set.
    pub taken: u64,
    pub watched: u64,
    /// The last 32 times that somebody came: whether somebody else was being served, or they had been waiting. A bit each.
    crowd: u32,
    /// A thread is in the reactor.
    pub is_driven: bool,
    /// Brings that thread back.
    pub driver: Option<Waker>,
    /// Tasks taken since somebody was in the reactor.
    pub since_driven: u32,
    pub is_closed: bool,
}

pub(super) enum Work {
    Task(Runnable),
    Reactor,
}

impl State {
    /// Has a thread that waits for work look for some; answers whether there is one.
    pub fn call_idle(&mut self) -> bool {
        self.idle.pop().is_some_and(|idle| {
            idle.notify_one();
            true
        })
    }

    pub fn has_work(&self) -> bool {
        !self.tasks.is_empty() || !self.is_driven
    }

    /// How many threads are at work.
    pub fn working(&self) -> usize {
        self.threads - self.idle.len() - usize::from(self.has_lookout) - usize::from(self.is_driven)
    }

    pub fn note_crowd(&mut self, is_crowd: bool) {
        self.crowd = self.crowd << 1 | u32::from(is_crowd);
    }

    /// Whether several are at work at once.
    pub fn is_crowded(&self) -> bool {
        self.crowd.count_ones() >= CROWD
    }

    pub fn take(&mut self) -> Option<Work> {
        if !self.has_work() {
            return None;
        }
        self.taken += 1;
        let is_unfair = self.since_driven >= FAIR && !self.is_driven;
        if let Some(task) = self.tasks.pop_front_if(|_| !is_unfair) {
            self.since_driven += 1;
            return Some(Work::Task(task));
        }
        (self.is_driven, self.since_driven) = (true, 0);
        Some(Work::Reactor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_crowded_while_half_of_those_who_come_meet_others() {
        let mut state = State::default();
        let mut crowded = |is_crowd: fn(u32) -> bool| {
            (0..32).for_each(|time| state.note_crowd(is_crowd(time)));
            state.is_crowded()
        };
        assert!(!crowded(|time| time % 3 == 0));
        assert!(crowded(|time| time % 2 == 0));
        assert!(!crowded(|_| false));
    }
}
