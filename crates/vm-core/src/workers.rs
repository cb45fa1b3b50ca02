//! The threads that JavaScript and the database may block.
//!
//! They are the blocking pool of a tokio runtime that does nothing else, because guest code needs a larger stack than the
//! threads of whoever embeds this crate have. A waiting session holds none of them.

use tokio::runtime::{Builder, Runtime};
use tracing::Span;

use crate::Error;

/// As many executions at once; more wait for a thread.
const MAX_THREADS: usize = 512;

pub(crate) struct Workers(Option<Runtime>);

impl Workers {
    pub fn new() -> Result<Self, Error> {
        let runtime = Builder::new_current_thread()
            .thread_name("worker")
            .thread_stack_size(vm_engine::engine::STACK_SIZE)
            .max_blocking_threads(MAX_THREADS)
            .build()
            .map_err(|error| Error::Internal(format!("cannot start worker threads: {error}")))?;
        Ok(Self(Some(runtime)))
    }

    /// Does blocking work on a worker thread.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let Some(runtime) = &self.0 else { return Err(Error::ShuttingDown) };
        // What it logs belongs to the request that asked for it.
        let span = Span::current();
        let work = move || span.in_scope(work);
        runtime.spawn_blocking(work).await.map_err(|error| Error::Internal(format!("a worker failed: {error}")))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // Waiting for its threads is not allowed on an async thread, which this may be.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
