//! The threads on which everything runs, and which anything may block: JavaScript, the database, files.
//!
//! To wake another thread takes longer than most of what a request asks for. So the thread that the network wakes does the
//! work itself, and nobody watches the network meanwhile. Only if that takes longer than a moment, an alarm wakes the lookout,
//! a thread that has nothing else to do, and it takes its place. (The field calls this leader and followers.)
//!
//! Guest code needs a larger stack than other threads have. A thread whose priority an execution has lowered ends with that
//! work, because the way back needs a privilege.

mod alarm;
mod state;

use std::{
    cell::Cell,
    future::poll_fn,
    io,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};

use async_task::Runnable;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::oneshot,
    task::yield_now,
};
use tracing::Span;
use vm_engine::{engine::STACK_SIZE, is_lowered};

use crate::Error;
use alarm::Alarm;
use state::{State, Work};

/// As many threads: more than there are connections, each of which blocks one at most. So one is left for the network.
const MAX_THREADS: usize = 2048;
/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(10);
/// So long what can go on may wait for a thread that is busy. Beside a single client nothing does: it sends nothing before it
/// has its answer, and a thread that wakes meanwhile only disturbs what it asked for.
const PATIENT: Duration = Duration::from_millis(4);
/// The same where several are at work at once.
const HASTY: Duration = Duration::from_micros(300);
/// Who is there so soon after a thread has come to the network had been waiting.
const AT_ONCE: Duration = Duration::from_micros(5);

/// The threads, and the runtime whose network and timers they use. Cheap to clone; the threads end with the last clone.
#[derive(Clone)]
pub struct Executor(Arc<Owner>);

struct Owner(Arc<Shared>);

struct Shared {
    /// Watches network and timers while a thread is in it.
    reactor: Runtime,
    state: Mutex<State>,
    /// Wakes the lookout.
    alarm: Alarm,
    cores: usize,
}

thread_local! {
    /// Whose thread this is, and whether it is in the reactor.
    static OWN: Cell<(*const Shared, bool)> = const { Cell::new((ptr::null(), false)) };
}

impl Executor {
    /// Starts the first thread.
    ///
    /// # Errors
    /// The system has no thread or no event queue to give.
    pub fn new() -> io::Result<Self> {
        let reactor = Builder::new_current_thread().enable_all().build()?;
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let (state, alarm) = (Mutex::default(), Alarm::new()?);
        let shared = Arc::new(Shared { reactor, state, alarm, cores });
        shared.start_thread(&mut shared.lock())?;
        Ok(Self(Arc::new(Owner(shared))))
    }

    /// Runs a task, and waits for its end on the calling thread, which must not be one of these.
    ///
    /// # Errors
    /// The task panicked.
    pub fn block_on<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Result<T, Error> {
        let (done, result) = mpsc::sync_channel(1);
        drop(self.spawn(async move { done.send(future.await) }));
        result.recv().map_err(|_| failed())
    }

    /// Runs a task, whether or not somebody waits for its end.
    ///
    /// # Errors
    /// The task panicked.
    pub fn spawn<F>(&self, future: F) -> impl Future<Output = Result<F::Output, Error>> + Send + use<F>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (task, result) = self.task(future);
        task.schedule();
        result
    }

    /// [`Executor::spawn`] for a caller who does nothing but wait: the task begins on the caller's own thread, within this call,
    /// because to put it into the queue and the caller behind it would call another thread.
    pub(crate) fn spawn_here<F>(&self, future: F) -> impl Future<Output = Result<F::Output, Error>> + Send + use<F>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (task, result) = self.task(future);
        if OWN.get() == (Arc::as_ptr(&self.0.0), false) {
            run_task(task)
        } else {
            task.schedule()
        }
        result
    }

    fn task<F>(&self, future: F) -> (Runnable, impl Future<Output = Result<F::Output, Error>> + Send + use<F>)
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (done, result) = oneshot::channel();
        let shared = Arc::downgrade(&self.0.0);
        let schedule = move |task| {
            if let Some(shared) = shared.upgrade() {
                shared.schedule(task);
            }
        };
        // Who no longer waits does not want to know.
        let (runnable, task) = async_task::spawn(async move { drop(done.send(future.await)) }, schedule);
        task.detach();
        (runnable, async move { result.await.map_err(|_| failed()) })
    }

    /// Does blocking work here; or on one of the threads, for a caller who is on none.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        if OWN.get().0 != Arc::as_ptr(&self.0.0) {
            // What it logs belongs to the request that asked for it.
            let span = Span::current();
            return self.spawn(async move { span.in_scope(work) }).await;
        }
        // The panic has been reported, and whoever waits for the result hears that there is none.
        let value = catch_unwind(AssertUnwindSafe(work)).map_err(|_| failed())?;
        if is_lowered() {
            // This thread ends here, and another one goes on.
            yield_now().await;
        }
        Ok(value)
    }

    /// The runtime with the network and the timers.
    pub(crate) fn reactor(&self) -> &Handle {
        self.0.0.reactor.handle()
    }
}

fn run_task(task: Runnable) {
    // The panic has been reported, and whoever waits for the task hears that there is none.
    let _ = catch_unwind(AssertUnwindSafe(|| task.run()));
}

fn failed() -> Error {
    Error::Internal("a task failed".into())
}

impl Drop for Owner {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        let driver = state.driver.take();
        state.idle.iter().for_each(|idle| idle.notify_one());
        self.0.alarm.set(Duration::from_nanos(1));
        drop(state);
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a task that can go on, and sees to it that somebody comes to it.
    fn schedule(&self, task: Runnable) {
        let mut state = self.lock();
        if state.is_closed {
            // What it has may schedule others when it goes.
            drop(state);
            return;
        }
        state.tasks.push_back(task);
        match OWN.get() {
            // This thread will come to it, as soon as it is done with what it does.
            (own, false) if ptr::eq(own, self) => self.keep_watch(state),
            (own, _) if !ptr::eq(own, self) && state.call_idle() => {}
            _ => match state.driver.take() {
                Some(driver) => {
                    drop(state);
                    driver.wake();
                }
                None => self.keep_watch(state),
            },
        }
    }

    /// Something waits for a thread that is busy.
    fn keep_watch(&self, state: MutexGuard<State>) {
        if !state.is_alarm_set {
            self.set_alarm(state);
        }
    }

    fn set_alarm(&self, mut state: MutexGuard<State>) {
        (state.is_alarm_set, state.watched) = (true, state.taken);
        let after = if state.is_crowded() { HASTY } else { PATIENT };
        // The sooner it is, the longer this takes the kernel.
        drop(state);
        self.alarm.set(after);
    }

    /// Has another thread look for work.
    fn call(self: &Arc<Self>, state: &mut State) {
        if !state.call_idle() {
            // If none can be started, those that there are come to it.
            let _ = self.start_thread(state);
        }
    }

    fn start_thread(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        if state.threads < MAX_THREADS {
            let shared = self.clone();
            thread::Builder::new().name("worker".into()).stack_size(STACK_SIZE).spawn(move || shared.work())?;
            state.threads += 1;
        }
        Ok(())
    }

    fn work(self: &Arc<Self>) {
        let _reactor = self.reactor.enter();
        OWN.set((Arc::as_ptr(self), false));
        while let Some(work) = self.next() {
            match work {
                Work::Reactor => self.drive(),
                Work::Task(task) => {
                    run_task(task);
                    if is_lowered() && self.leave() {
                        return;
                    }
                }
            }
        }
        self.lock().threads -= 1;
    }

    /// Leaves the work to the others, if there are any. It starts none: that one would have its priority.
    fn leave(&self) -> bool {
        let mut state = self.lock();
        if state.threads == 1 {
            return false;
        }
        state.threads -= 1;
        if !state.call_idle() {
            self.keep_watch(state);
        }
        true
    }

    /// What this thread is to do; nothing: it ends.
    fn next(self: &Arc<Self>) -> Option<Work> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(work) = state.take() {
                self.look_back(state);
                return Some(work);
            }
            state = if state.has_lookout { self.wait(state)? } else { self.look_out(state) };
        }
    }

    /// Nobody sees what a thread leaves behind that goes to work, if it does not see to that itself: there is a lookout, or
    /// a thread is on its way to become it.
    fn look_back(self: &Arc<Self>, mut state: MutexGuard<State>) {
        if !state.has_lookout || (!state.tasks.is_empty() && state.working() < self.cores) {
            self.call(&mut state);
        }
        if state.has_work() {
            // To put the alarm off takes less than to be disturbed by it; but not where it goes off soon.
            if state.is_crowded() { self.keep_watch(state) } else { self.set_alarm(state) }
        }
    }

    fn wait<'a>(&self, mut state: MutexGuard<'a, State>) -> Option<MutexGuard<'a, State>> {
        let called = Arc::new(Condvar::new());
        state.idle.push(called.clone());
        let is_waiting =
            |state: &mut State| !state.is_closed && state.idle.iter().any(|idle| Arc::ptr_eq(idle, &called));
        let waited = called.wait_timeout_while(state, IDLE, is_waiting);
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        state.idle.retain(|idle| !Arc::ptr_eq(idle, &called));
        (!timeout.timed_out()).then_some(state)
    }

    /// Returns when something has waited for too long.
    fn look_out<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.has_lookout = true;
        while !state.is_closed {
            drop(state);
            self.alarm.wait();
            state = self.lock();
            state.is_alarm_set = false;
            if state.taken != state.watched {
                self.set_alarm(state);
                state = self.lock();
            } else if state.has_work() {
                break;
            }
        }
        state.has_lookout = false;
        state
    }

    /// Watches network and timers until there is a task.
    fn drive(&self) {
        OWN.set((self, true));
        let begin = Instant::now();
        self.reactor.block_on(async {
            if !self.lock().tasks.is_empty() {
                // Looks at the network once.
                yield_now().await;
            }
            poll_fn(|context| self.poll_called(context)).await;
        });
        OWN.set((self, false));
        let mut state = self.lock();
        let others = state.working();
        (state.is_driven, state.driver) = (false, None);
        state.note_crowd(others > 0 || begin.elapsed() < AT_ONCE);
    }

    fn poll_called(&self, context: &Context) -> Poll<()> {
        let mut state = self.lock();
        if state.is_closed || !state.tasks.is_empty() {
            return Poll::Ready(());
        }
        state.driver = Some(context.waker().clone());
        Poll::Pending
    }
}
