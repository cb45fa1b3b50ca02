//! Opens the database and the engine, and shuts down.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc, thread};

use tokio::runtime::Handle;
use vm_engine::{Engine, QuickJs};
use vm_model::RuntimeSummary;
use vm_modules::libraries::Cache;
use vm_store::Store;

use crate::{
    Error, Executions, Sessions, Templates, ceiling::Ceiling, live::LiveSessions, slots::Slots, workers::Workers,
};

/// Stands for the engine's guest until sessions are restored.
pub(crate) const GUEST: [u8; 32] = [0; 32];

/// Where things are kept.
#[derive(Clone, Debug)]
pub struct Config {
    /// The SQLite file; made if it does not exist.
    pub database: PathBuf,
    /// The folder for compiled code; made if it does not exist.
    pub code_cache: PathBuf,
    /// The folder that libraries are read from; need not exist.
    pub library_cache: PathBuf,
    /// How many executions may compute at once; `None`: as many as there are cores. One that takes long makes room.
    pub parallel: Option<NonZeroUsize>,
    /// How many bytes the process may have in memory before new work is refused; `None`: four fifths of the machine's.
    pub max_memory: Option<u64>,
}

/// The whole system, but for its doors. Cheap to clone; all clones are the same system.
#[derive(Clone)]
pub struct Core(pub(crate) Arc<Parts>);

pub(crate) struct Parts {
    pub store: Store,
    pub engine: Box<dyn Engine>,
    pub library_cache: Cache,
    pub live: LiveSessions,
    pub workers: Workers,
    pub slots: Slots,
    pub ceiling: Ceiling,
    /// Where the requests of scripts are made: the runtime of whoever opened the core.
    pub runtime: Handle,
}

impl Core {
    /// Opens the database and makes the engine ready; the first start of a version compiles it, which takes seconds.
    ///
    /// # Errors
    /// The database cannot be opened, or the engine cannot start on this machine.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let workers = Workers::new();
        let library_cache = Cache::new(config.library_cache);
        let ceiling = Ceiling::new(config.max_memory);
        let slots = Slots::new(config.parallel.unwrap_or_else(cores).get());
        let opened = workers.run(move || {
            let store = Store::open(&config.database)?;
            let engine = QuickJs::new(&config.code_cache)?;
            // no session was made by this one: none is ready
            let recovered = store.recover(&[1; 32])?;
            if recovered.crashed > 0 {
                let sessions = recovered.crashed;
                tracing::warn!(sessions, "sessions of an earlier daemon are lost and marked as crashed");
            }
            Ok::<_, Error>((store, engine))
        });
        let (store, engine) = opened.await??;
        let (engine, live) = (Box::new(engine), LiveSessions::default());
        Ok(Self(Arc::new(Parts {
            store,
            engine,
            library_cache,
            live,
            workers,
            slots,
            ceiling,
            runtime: Handle::current(),
        })))
    }

    /// What sessions are stamped from.
    #[must_use]
    pub fn templates(&self) -> Templates<'_> {
        Templates(self)
    }

    /// Live runtimes.
    #[must_use]
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(self)
    }

    /// Running code, and reading what it did.
    #[must_use]
    pub fn executions(&self) -> Executions<'_> {
        Executions(self)
    }

    /// What is alive at this moment.
    #[must_use]
    pub fn summary(&self) -> RuntimeSummary {
        let active_session_ids = self.0.live.active();
        RuntimeSummary {
            active_sessions: active_session_ids.len() as u64,
            active_session_ids,
            running_executions: self.0.live.running() as u64,
        }
    }

    /// Ends every running execution as `cancelled` and waits until it is recorded; new ones are refused from here on.
    pub async fn shutdown(&self) {
        for session in self.0.live.stop_all() {
            session.idle().await;
        }
    }

    /// Does something with the parts where it may block.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let parts = self.0.clone();
        self.0.workers.run(move || work(&parts)).await?
    }
}

fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
