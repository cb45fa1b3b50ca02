//! The thread that applies entries a moment after they were appended: many at once, which is why not at once.

use std::{
    sync::{Arc, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::{process::setpriority_process, thread::gettid};

use super::{Redo, Tail, lock};
use crate::StoreError;

/// How long entries gather. Each time costs those a moment who work meanwhile.
const MOMENT: Duration = Duration::from_millis(25);

/// The priority of applying them: that of the executions goes first. Not much lower, because others may wait for it.
const PRIORITY: i32 = 5;

/// How long nothing is tried after a failure, such as a full disk.
const RETRY: Duration = Duration::from_secs(10);

/// The thread; it ends when this is dropped.
pub(crate) struct Applier {
    redo: Arc<Redo>,
    thread: Option<JoinHandle<()>>,
}

impl Applier {
    pub(crate) fn start(redo: &Arc<Redo>) -> Result<Self, StoreError> {
        let run = {
            let redo = redo.clone();
            move || run(&redo)
        };
        let thread = thread::Builder::new().name("applier".into()).spawn(run);
        let thread = thread.map_err(|error| StoreError::CannotOpen {
            path: redo.path.clone(),
            why: format!("a thread cannot be started ({error})"),
            hint: "; raise the limit on threads of this user",
        })?;
        Ok(Self { redo: redo.clone(), thread: Some(thread) })
    }
}

impl Drop for Applier {
    fn drop(&mut self) {
        lock(&self.redo.tail).is_closing = true;
        self.redo.changed.notify_one();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that applies the redo log has panicked");
        }
    }
}

fn run(redo: &Redo) {
    // Where it is refused, the kernel shares the cores evenly.
    let _ = setpriority_process(Some(gettid()), PRIORITY);
    let mut pause = MOMENT;
    while wait(redo, pause) {
        pause = MOMENT;
        if let Err(failure) = redo.settle() {
            let error = failure.while_doing("apply the redo log");
            let retry_s = RETRY.as_secs();
            tracing::warn!(%error, retry_s, "what was acknowledged stays in the redo log");
            pause = RETRY;
        }
    }
}

/// Until there are entries, and they have gathered; `false`: no more are to be applied here.
fn wait(redo: &Redo, pause: Duration) -> bool {
    let is_empty = |tail: &mut Tail| tail.pending.is_empty() && !tail.is_closing;
    let tail = redo.changed.wait_while(lock(&redo.tail), is_empty).unwrap_or_else(PoisonError::into_inner);
    let waited = redo.changed.wait_timeout_while(tail, pause, |tail| !tail.is_closing);
    let (tail, _) = waited.unwrap_or_else(PoisonError::into_inner);
    !tail.is_closing
}
