//! The thread that ends executions at their limits of time.
//!
//! No epochs, no fuel: they would cost every loop 15 to 34 percent. One thread sleeps until the next run is to be looked at.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use crate::{Run, memory::Mapping};

/// Times in order; the number tells equal ones apart.
type Key = (Instant, u64);

enum Action {
    /// See [`Run::look`].
    Look(Weak<Run>, Arc<Mutex<Key>>),
    /// The time to stop by oneself is over.
    Force(Weak<Run>),
    /// A call that belongs to no run takes too long.
    Revoke(Weak<Mapping>),
}

#[derive(Default)]
struct Watchdog {
    plan: Mutex<Plan>,
    changed: Condvar,
    number: AtomicU64,
}

#[derive(Default)]
struct Plan {
    actions: BTreeMap<Key, Action>,
    /// When the thread looks at the plan again by itself. What is due later need not wake it.
    wakes_at: Option<Instant>,
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

/// Looks at the run, or waits to take the memory away, until dropped.
pub(crate) struct Watch(Arc<Mutex<Key>>);

/// Looks at the run at this time, and then whenever the run says.
pub(crate) fn watch(run: &Arc<Run>, at: Instant) -> Watch {
    let key = Arc::new(Mutex::new((at, WATCHDOG.next_number())));
    WATCHDOG.add(*lock(&key), Action::Look(Arc::downgrade(run), key.clone()));
    Watch(key)
}

/// Takes the memory away at this time: for what no run bounds.
pub(crate) fn revoke_at(mapping: &Arc<Mapping>, at: Instant) -> Watch {
    let key = (at, WATCHDOG.next_number());
    WATCHDOG.add(key, Action::Revoke(Arc::downgrade(mapping)));
    Watch(Arc::new(Mutex::new(key)))
}

impl Drop for Watch {
    fn drop(&mut self) {
        let key = *lock(&self.0);
        lock(&WATCHDOG.plan).actions.remove(&key);
    }
}

/// Takes the run's memory away at this time, if it still computes then.
pub(crate) fn force_at(run: &Arc<Run>, at: Instant) {
    WATCHDOG.add((at, WATCHDOG.next_number()), Action::Force(Arc::downgrade(run)));
}

impl Watchdog {
    fn next_number(&self) -> u64 {
        self.number.fetch_add(1, Ordering::Relaxed)
    }

    fn add(&self, key: Key, action: Action) {
        let mut plan = lock(&self.plan);
        plan.actions.insert(key, action);
        if plan.wakes_at.is_none_or(|wakes_at| key.0 < wakes_at) {
            self.changed.notify_one();
        }
    }

    fn watch(&self) {
        let mut plan = lock(&self.plan);
        loop {
            let now = Instant::now();
            let next = plan.actions.first_key_value().map(|(&(at, _), _)| at);
            plan.wakes_at = next;
            plan = match next {
                None => self.changed.wait(plan).unwrap_or_else(PoisonError::into_inner),
                Some(at) if at > now => {
                    self.changed.wait_timeout(plan, at - now).unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    let due = plan.actions.pop_first();
                    // Acting takes other locks and may add an action.
                    drop(plan);
                    if let Some((_, action)) = due {
                        self.perform(action);
                    }
                    lock(&self.plan)
                }
            };
        }
    }

    fn perform(&self, action: Action) {
        match action {
            Action::Force(run) => {
                if let Some(at) = run.upgrade().and_then(|run| run.force()) {
                    self.add((at, self.next_number()), Action::Force(run));
                }
            }
            Action::Revoke(mapping) => {
                if let Some(mapping) = mapping.upgrade() {
                    mapping.revoke();
                }
            }
            Action::Look(run, key) => {
                // Where the turn ends at this moment, one look too many is left in the plan, and finds nothing.
                if let Some(at) = run.upgrade().and_then(|run| run.look()) {
                    let next = (at, self.next_number());
                    *lock(&key) = next;
                    self.add(next, Action::Look(run, key));
                }
            }
        }
    }
}

/// What these locks guard is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
