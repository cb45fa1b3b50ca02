//! A session's machine: its JavaScript instance, and all that the instance works with.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::Notify;
use vm_engine::{Instance, Origin, Outcome};
use vm_model::{Durability, TemplateDetail, Timestamp};
use vm_modules::Worktree;
use vm_store::{Change, Effect, State, StoredSession};

use crate::{
    Error,
    core::Parts,
    host::Host,
    images::{TemplateImage, has_startup},
    policy::Policy,
};

/// Changes are stored one by one until they come to as many bytes, or as many as the whole state has; then that takes their
/// place.
const MIN_CHANGES: usize = 64 << 10;
/// A session that leaves the memory with more changes than these is stored as a whole: each takes time when it comes back.
const MANY_CHANGES: usize = 8;

pub(crate) struct Machine {
    pub instance: Box<dyn Instance>,
    /// The effective template, as it was when the session began: later edits do not reach it.
    pub template: Arc<TemplateDetail>,
    pub worktree: Arc<Worktree>,
    pub host: Host,
    /// Stays in memory as long as a session uses it.
    pub image: Option<Arc<TemplateImage>>,
    stored: Stored,
}

/// What the database has of the state.
#[derive(Default)]
struct Stored {
    /// Bytes of the whole state when it was stored last.
    whole: usize,
    /// Bytes of the changes since.
    changes: usize,
    /// How many these are.
    count: usize,
    /// The state has changed since without being stored.
    is_stale: bool,
}

/// All that a machine is made of, before it is.
pub(crate) struct Plan {
    pub template: Arc<TemplateDetail>,
    pub policy: Policy,
    pub worktree: Arc<Worktree>,
    pub host: Host,
}

impl Plan {
    /// `wake` is told when something has come that a script waits for.
    pub fn new(
        parts: &Parts,
        template: Arc<TemplateDetail>,
        worktree: Arc<Worktree>,
        wake: &Arc<Notify>,
    ) -> Result<Self, Error> {
        let policy = Policy::of(&template)?;
        let host = Host::new(policy.host_calls(&template, &worktree, parts.executor.reactor(), wake)?);
        Ok(Self { template, policy, worktree, host })
    }

    /// Whether nothing is left to be run in a session that begins so.
    pub fn is_started_by(&self, image: Option<&TemplateImage>) -> bool {
        match image {
            Some(image) => image.files() == self.template.startup_files.len(),
            None => !has_startup(&self.template),
        }
    }
}

impl Machine {
    /// As the image is.
    pub fn stamp(
        parts: &Parts,
        plan: Plan,
        created_at: Timestamp,
        image: Option<Arc<TemplateImage>>,
    ) -> Result<Self, Error> {
        Self::at(parts, plan, created_at, image, &[])
    }

    /// As it was stored.
    pub fn restore(parts: &Parts, stored: StoredSession, wake: &Arc<Notify>) -> Result<Self, Error> {
        let StoredSession { session, template, state } = stored;
        let State { image, changes, host, is_stale, .. } = state.ok_or(Error::SessionNotFound(session.id))?;
        if is_stale {
            return Err(Error::StateUnsaved);
        }
        let image = image.map(|id| parts.images.get(parts, id)).transpose()?;
        let plan = Plan::new(parts, template, open_worktree(&session.worktree_path)?, wake)?;
        let mut machine = Self::at(parts, plan, session.created_at, image, &changes)?;
        if let Some(host) = host {
            machine.host.restore(&host);
        }
        if let Some((whole, others)) = changes.split_first() {
            let changes = others.iter().map(Vec::len).sum();
            machine.stored = Stored { whole: whole.len(), changes, count: others.len(), is_stale: false };
        }
        Ok(machine)
    }

    fn at(
        parts: &Parts,
        Plan { template, policy, worktree, host }: Plan,
        created_at: Timestamp,
        image: Option<Arc<TemplateImage>>,
        changes: &[Vec<u8>],
    ) -> Result<Self, Error> {
        let origin = Origin { image: image.as_ref().map(|image| &image.memory), changes };
        let setup = policy.setup(&template, system_time(created_at));
        let instance = parts.engine.create(origin, &setup, host.functions())?;
        let stored = Stored::default();
        Ok(Self { instance, template, worktree, host, image, stored })
    }

    /// What is to be stored with the record of the program that had this outcome.
    pub fn saving(&mut self, outcome: &Outcome) -> Saving {
        match self.template.settings.runtime.durability {
            Durability::None if outcome.rolled_back || self.stored.is_stale => Saving::Nothing,
            Durability::None => Saving::Stale,
            Durability::Execution => self.change().map_or(Saving::Nothing, Saving::Change),
            Durability::Full => Saving::Flush(self.change()),
        }
    }

    /// What is to be stored when a session has started.
    pub fn saving_start(&mut self) -> Saving {
        match self.template.settings.runtime.durability {
            Durability::None => self.instance.state().map_or(Saving::Nothing, |_| Saving::Stale),
            Durability::Execution => self.whole().map_or(Saving::Nothing, Saving::Change),
            Durability::Full => Saving::Flush(self.whole()),
        }
    }

    /// What is to be stored so that nothing is in the memory alone; nothing if all is.
    pub fn unsaved(&self) -> Option<Change> {
        if self.stored.is_stale { self.whole() } else { None }
    }

    /// What may be stored in place of many changes, so that the machine comes back quickly; nothing if there are few.
    pub fn in_one(&self) -> Option<Change> {
        if self.stored.count > MANY_CHANGES { self.whole() } else { None }
    }

    /// It is stored.
    pub fn saved(&mut self, saving: &Saving) {
        match saving {
            Saving::Stale => self.stored.is_stale = true,
            Saving::Change(change) | Saving::Flush(Some(change)) => {
                if change.is_whole {
                    self.stored = Stored { whole: change.memory.len(), ..Stored::default() };
                } else {
                    self.stored.changes += change.memory.len();
                    self.stored.count += 1;
                }
            }
            Saving::Nothing | Saving::Flush(None) => {}
        }
    }

    /// What the last program changed; or the whole state, if the changes have become too many.
    fn change(&self) -> Option<Change> {
        let Some(memory) = self.instance.change() else {
            // the memory was set back; what was done to databases was not
            return self.whole().filter(|change| change.host.is_some());
        };
        if self.stored.changes + memory.len() > self.stored.whole.max(MIN_CHANGES) {
            // none where it is as the image again; the change is what leads there
            if let Some(whole) = self.whole() {
                return Some(whole);
            }
        }
        Some(Change { memory, host: self.host.state(), is_whole: false })
    }

    fn whole(&self) -> Option<Change> {
        Some(Change { memory: self.instance.state()?, host: self.host.state(), is_whole: true })
    }
}

/// What is to be stored of a machine's state.
pub(crate) enum Saving {
    Nothing,
    /// Only that what is stored is not the state any more.
    Stale,
    Change(Change),
    /// Down to the disk.
    Flush(Option<Change>),
}

impl Saving {
    pub fn effect(&self) -> Effect<'_> {
        match self {
            Self::Nothing => Effect::Unchanged,
            Self::Stale => Effect::Unsaved,
            Self::Change(change) => Effect::Saved(change),
            Self::Flush(change) => Effect::Flushed(change.as_ref()),
        }
    }
}

pub(crate) fn open_worktree(path: &Path) -> Result<Arc<Worktree>, Error> {
    Worktree::open(path).map(Arc::new).map_err(|error| {
        Error::Validation(format!("worktree_path {} is not a folder that can be opened: {error}", path.display()))
    })
}

fn system_time(time: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(time.as_micros().unsigned_abs())
}
