//! The threads that JavaScript and the database may block.
//!
//! Guest code needs a larger stack than the threads of whoever embeds this crate have. A waiting session holds none of
//! them. A thread whose priority an execution has lowered ends with that work, because the way back needs a privilege.

use std::{
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;
use tracing::Span;
use vm_engine::engine::STACK_SIZE;

use crate::Error;

/// As many things at once; more wait for a thread.
const MAX_THREADS: usize = 512;
/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// Threads that come with the work and go without it.
pub(crate) struct Workers(Arc<Pool>);

#[derive(Default)]
struct Pool {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Threads that wait for a job.
    idle: usize,
    is_closed: bool,
}

impl Workers {
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Does blocking work on a worker thread, for nobody who waits for it.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        if let Err(error) = self.0.add(Box::new(work)) {
            tracing::warn!(%error, "cannot start a worker");
        }
    }

    /// Does blocking work on a worker thread.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        // What it logs belongs to the request that asked for it.
        let span = Span::current();
        let (done, result) = oneshot::channel();
        let job = move || {
            // Who no longer waits does not want to know.
            let _ = done.send(span.in_scope(work));
        };
        self.0.add(Box::new(job)).map_err(|error| Error::Internal(format!("cannot start a worker: {error}")))?;
        result.await.map_err(|_| Error::Internal("a worker failed".into()))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.changed.notify_all();
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(self: &Arc<Self>, job: Job) -> io::Result<()> {
        let mut state = self.lock();
        state.jobs.push_back(job);
        if state.jobs.len() <= state.idle || state.threads >= MAX_THREADS {
            drop(state);
            self.changed.notify_one();
            return Ok(());
        }
        let started = self.start_thread(&mut state);
        // Where another thread is there, it will come to the job.
        if started.is_err() && state.threads == 0 {
            state.jobs.clear();
            return started;
        }
        Ok(())
    }

    fn start_thread(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        let pool = self.clone();
        thread::Builder::new().name("worker".into()).stack_size(STACK_SIZE).spawn(move || pool.work())?;
        state.threads += 1;
        Ok(())
    }

    fn work(self: &Arc<Self>) {
        while let Some(job) = self.next_job() {
            // The panic has been reported, and whoever waits for the result hears that there is none.
            let _ = catch_unwind(AssertUnwindSafe(job));
            if vm_engine::is_lowered() {
                break;
            }
        }
        let mut state = self.lock();
        state.threads -= 1;
        if state.jobs.len() > state.idle {
            // What waited for this thread is for another one. If none can be started, the next job tries again.
            let _ = self.start_thread(&mut state);
        }
    }

    fn next_job(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.is_closed {
                return None;
            }
            state.idle += 1;
            let (woken, timeout) = self.changed.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                return None;
            }
        }
    }
}
