//! What the threads share: the tasks that can go on, and who waits for what.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar},
    task::Waker,
};

use async_task::Runnable;

/// After so many tasks without a look at the network there is one.
const FAIR: u32 = 64;

#[derive(Default)]
pub(super) struct State {
    pub tasks: VecDeque<Runnable>,
    pub threads: usize,
    /// Where threads wait for work, without the lookout. The last one is called first, so that the others come to their end.
    pub idle: Vec<Arc<Condvar>>,
    pub lookout: Lookout,
    /// A thread is in the reactor.
    pub is_driven: bool,
    /// Brings that thread back.
    pub driver: Option<Waker>,
    /// Tasks taken since somebody was in the reactor.
    pub since_driven: u32,
    /// How often a thread took something to do.
    pub taken: u64,
    pub is_closed: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Lookout {
    #[default]
    Missing,
    Asleep,
    Awake,
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
