//! Opens the database and the engine, and shuts down.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc, thread, time::Duration};

use vm_engine::{Engine, QuickJs};
use vm_model::RuntimeSummary;
use vm_modules::libraries::Cache;
pub use vm_store::Retention;
use vm_store::{Recovered, Store};

use crate::{
    Error, Executions, Executor, Sessions, Templates,
    amends::{Amends, make_amends},
    ceiling::Ceiling,
    hibernation::{hibernate_idle, relieve, rest_idle},
    housekeeping::keep_house,
    images::{Images, TemplateImage},
    libraries::Hashes,
    live_sessions::LiveSessions,
    slots::Slots,
};

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
    /// After how long an idle session leaves the memory.
    pub hibernate_after: Duration,
    /// What is kept of the history.
    pub retention: Retention,
}

/// The whole system, but for its doors. Cheap to clone; all clones are the same system.
#[derive(Clone)]
pub struct Core(pub(crate) Arc<Parts>);

pub(crate) struct Parts {
    pub store: Store,
    pub engine: Box<dyn Engine>,
    pub library_cache: Cache,
    pub live: LiveSessions,
    pub amends: Amends,
    pub images: Images,
    pub library_hashes: Hashes,
    pub retention: Retention,
    pub executor: Executor,
    pub slots: Slots,
    pub ceiling: Ceiling,
}

impl Core {
    /// Opens the database and makes the engine ready; the first start of a version compiles it, which takes seconds.
    ///
    /// # Errors
    /// The database cannot be opened, or the engine cannot start on this machine.
    pub async fn open(config: Config, executor: &Executor) -> Result<Self, Error> {
        let library_cache = Cache::new(config.library_cache);
        let ceiling = Ceiling::new(config.max_memory);
        let slots = Slots::new(config.parallel.unwrap_or_else(cores).get());
        let opened = executor.run(move || {
            let store = Store::open(&config.database)?;
            let engine = QuickJs::new(&config.code_cache)?;
            let Recovered { ready, crashed, cancelled } = store.recover(&engine.identity())?;
            tracing::info!(ready, crashed, cancelled, "sessions and executions of earlier daemons");
            Ok::<_, Error>((store, engine))
        });
        let (store, engine) = opened.await??;
        let core = Self(Arc::new(Parts {
            store,
            engine: Box::new(engine),
            library_cache,
            live: LiveSessions::default(),
            amends: Amends::default(),
            images: Images::default(),
            library_hashes: Hashes::default(),
            retention: config.retention,
            executor: executor.clone(),
            slots,
            ceiling,
        }));
        drop(executor.spawn(hibernate_idle(Arc::downgrade(&core.0), config.hibernate_after)));
        drop(executor.spawn(keep_house(Arc::downgrade(&core.0))));
        drop(executor.spawn(make_amends(Arc::downgrade(&core.0))));
        drop(executor.spawn(relieve(Arc::downgrade(&core.0))));
        drop(executor.spawn(rest_idle(Arc::downgrade(&core.0))));
        Ok(core)
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
    ///
    /// # Errors
    /// The database failed.
    pub async fn summary(&self) -> Result<RuntimeSummary, Error> {
        let summary = |parts: &Parts| {
            let active_session_ids = parts.store.ready_sessions()?;
            let (resident_bytes, resident_sessions) = parts.live.usage();
            let active_sessions = active_session_ids.len() as u64;
            Ok(RuntimeSummary {
                active_sessions,
                active_session_ids,
                running_executions: parts.live.running() as u64,
                resident_sessions,
                hibernated_sessions: active_sessions.saturating_sub(resident_sessions),
                resident_bytes,
            })
        };
        self.blocking(summary).await
    }

    /// Ends every running execution as `cancelled`, waits until it is recorded, and stores what is only in memory; new
    /// ones are refused from here on.
    pub async fn shutdown(&self) {
        for session in self.0.live.stop_all() {
            let Some(machine) = session.turn().await.take() else { continue };
            let Some(change) = machine.unsaved() else { continue };
            let id = session.id;
            if let Err(error) = self.blocking(move |parts| Ok(parts.store.save_state(id, &change)?)).await {
                tracing::error!(session_id = %id, %error, "a session's state could not be stored");
            }
        }
    }

    /// The threads on which it works.
    #[must_use]
    pub fn executor(&self) -> &Executor {
        &self.0.executor
    }

    /// Soon makes ahead what the next session of this image begins with; `None`: one that begins with nothing.
    pub(crate) fn prepare(&self, image: Option<Arc<TemplateImage>>) {
        let parts = self.0.clone();
        drop(self.0.executor.spawn(async move {
            if let Err(error) = parts.engine.prepare(image.as_ref().map(|image| &image.memory)) {
                tracing::debug!(%error, "nothing is made ahead for the next session");
            }
        }));
    }

    /// Does something with the parts where it may block.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let parts = self.0.clone();
        self.0.executor.run(move || work(&parts)).await?
    }
}

fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
