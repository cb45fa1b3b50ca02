//! The thread that ends executions at their deadline.
//!
//! No epochs, no fuel: they would cost every loop 15 to 34 percent. One thread sleeps until the next deadline.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use crate::Run;

/// Deadlines in order; the number tells equal ones apart.
type Key = (Instant, u64);

enum Action {
    /// The wall limit is reached.
    Expire(Weak<Run>),
    /// The time to stop by oneself is over.
    Force(Weak<Run>),
}

#[derive(Default)]
struct Watchdog {
    actions: Mutex<BTreeMap<Key, Action>>,
    changed: Condvar,
    number: AtomicU64,
}

static WATCHDOG: LazyLock<Arc<Watchdog>> = LazyLock::new(|| {
    let watchdog = Arc::new(Watchdog::default());
    let own = watchdog.clone();
    // Without this thread no limit holds, so a process that cannot start one must not go on.
    if let Err(error) = thread::Builder::new().name("watchdog".into()).spawn(move || own.watch()) {
        panic!("cannot start the watchdog thread: {error}");
    }
    watchdog
});

/// Expires the run at its deadline, unless dropped before.
pub(crate) struct Watch(Key);

pub(crate) fn watch(run: &Arc<Run>) -> Watch {
    Watch(WATCHDOG.add(run.deadline(), Action::Expire(Arc::downgrade(run))))
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHDOG.lock().remove(&self.0);
    }
}

/// Takes the run's memory away at this time, if it still computes then.
pub(crate) fn force_at(run: &Arc<Run>, at: Instant) {
    WATCHDOG.add(at, Action::Force(Arc::downgrade(run)));
}

impl Watchdog {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Action>> {
        self.actions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, at: Instant, action: Action) -> Key {
        let key = (at, self.number.fetch_add(1, Ordering::Relaxed));
        let mut actions = self.lock();
        let is_next = actions.first_key_value().is_none_or(|(first, _)| key < *first);
        actions.insert(key, action);
        if is_next {
            self.changed.notify_one();
        }
        key
    }

    fn watch(&self) {
        let mut actions = self.lock();
        loop {
            let now = Instant::now();
            actions = match actions.first_key_value() {
                None => self.changed.wait(actions).unwrap_or_else(PoisonError::into_inner),
                Some((&(at, _), _)) if at > now => {
                    self.changed.wait_timeout(actions, at - now).unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    let due = actions.pop_first();
                    // Acting takes other locks and may add an action.
                    drop(actions);
                    if let Some((_, action)) = due {
                        action.perform();
                    }
                    self.lock()
                }
            };
        }
    }
}

impl Action {
    fn perform(&self) {
        match self {
            Self::Expire(run) => run.upgrade().inspect(Run::expire),
            Self::Force(run) => run.upgrade().inspect(|run| run.force()),
        };
    }
}
