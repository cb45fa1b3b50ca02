//! Images: the memory that a template's libraries and startup files lead to, made once, from which sessions are stamped.
//!
//! The first session of a template runs them itself. What they read of the worktree is noted; where one does what would not
//! be the same another time (the clock, randomness, a command, a database, a request, a write), the image is that of the
//! moment before it, and each session runs the rest itself. Only libraries of the catalog may read the clock.

mod ingredients;
mod making;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use serde::{Deserialize, Serialize};
use vm_engine::Image;
use vm_model::{Event, Execution, ExecutionId, Metrics, SessionId, Timestamp};
use vm_store::{ImageId, NewImage, StoredImage};

use crate::{
    Error,
    core::Parts,
    host::{Host, Reading},
};
pub(crate) use ingredients::{Key, has_startup, key};
pub(crate) use making::Making;

/// As many images stay in memory although no session uses them.
const MAX_RECENT: usize = 32;
/// As many images of one template and its files, which read different things elsewhere; no more are made.
const MAX_VARIANTS: usize = 8;

/// The memory of a session after its libraries and its first startup files.
pub(crate) struct TemplateImage {
    pub id: ImageId,
    pub memory: Arc<Image>,
    recipe: Recipe,
}

/// What is to be known of an image before a session begins with it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Recipe {
    /// What it depends on.
    readings: Vec<Reading>,
    /// The startup files that it has behind it, as they were recorded.
    startup: Vec<Execution>,
}

/// All images of a core.
#[derive(Default)]
pub(crate) struct Images(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The one that was used last is the last.
    recent: VecDeque<(Key, Arc<TemplateImage>)>,
    in_use: HashMap<ImageId, Weak<TemplateImage>>,
}

impl Images {
    /// An image that a session with these functions may begin with.
    pub fn find(&self, parts: &Parts, key: &Key, host: &Host) -> Result<Option<Arc<TemplateImage>>, Error> {
        let recent = lock(&self.0).of(key);
        let fits = |image: &&Arc<TemplateImage>| host.repeats(&image.recipe.readings);
        if let Some(image) = recent.iter().find(fits) {
            lock(&self.0).note(*key, image);
            return Ok(Some(image.clone()));
        }
        for id in parts.store.images(key)? {
            if recent.iter().any(|image| image.id == id) {
                continue;
            }
            match self.get(parts, id) {
                Ok(image) if fits(&&image) => {
                    lock(&self.0).note(*key, &image);
                    return Ok(Some(image));
                }
                Ok(_) => {}
                // others may be whole, and the session can do without
                Err(error) if error.is_lost_state() => tracing::warn!(%error, "an image cannot be used"),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Keeps what a session has made, for the sessions to come.
    pub fn add(&self, parts: &Parts, key: Key, recipe: Recipe, state: &[u8]) -> Result<(), Error> {
        if parts.store.images(&key)?.len() >= MAX_VARIANTS {
            return Ok(());
        }
        let bytes = serde_json::to_vec(&recipe).map_err(|error| Error::Internal(error.to_string()))?;
        let new = NewImage { key, guest: parts.engine.identity(), recipe: &bytes, content: state };
        let image = TemplateImage { id: parts.store.insert_image(&new)?, memory: parts.engine.image(state)?, recipe };
        lock(&self.0).note(key, &Arc::new(image));
        Ok(())
    }

    /// An image that a session has begun with.
    pub fn get(&self, parts: &Parts, id: ImageId) -> Result<Arc<TemplateImage>, Error> {
        if let Some(image) = lock(&self.0).in_use.get(&id).and_then(Weak::upgrade) {
            return Ok(image);
        }
        let stored = parts.store.image(id)?.ok_or_else(|| Error::ImageLost("is missing"))?;
        let image = Arc::new(TemplateImage::load(parts, stored)?);
        lock(&self.0).keep(&image);
        Ok(image)
    }

    /// Forgets what is only kept for sessions to come; for when some were deleted.
    pub fn forget(&self) {
        lock(&self.0).recent.clear();
    }
}

impl Known {
    fn of(&self, key: &Key) -> Vec<Arc<TemplateImage>> {
        self.recent.iter().rev().filter(|(of, _)| of == key).map(|(_, image)| image.clone()).collect()
    }

    /// It is used at this moment.
    fn note(&mut self, key: Key, image: &Arc<TemplateImage>) {
        self.recent.retain(|(_, other)| other.id != image.id);
        self.recent.push_back((key, image.clone()));
        if self.recent.len() > MAX_RECENT {
            self.recent.pop_front();
        }
        self.keep(image);
    }

    fn keep(&mut self, image: &Arc<TemplateImage>) {
        self.in_use.retain(|_, image| image.strong_count() > 0);
        self.in_use.insert(image.id, Arc::downgrade(image));
    }
}

impl TemplateImage {
    fn load(parts: &Parts, stored: StoredImage) -> Result<Self, Error> {
        let recipe = serde_json::from_slice(&stored.recipe).map_err(|_| Error::ImageLost("is damaged"))?;
        Ok(Self { id: stored.id, memory: parts.engine.image(&stored.content)?, recipe })
    }

    /// How many startup files it has behind it.
    pub fn files(&self) -> usize {
        self.recipe.startup.len()
    }

    /// The startup files that it has behind it, as executions of this session that took no time.
    pub fn startup(&self, session_id: SessionId) -> Vec<Execution> {
        self.recipe.startup.iter().map(|recorded| replay(recorded, session_id)).collect()
    }
}

fn replay(recorded: &Execution, session_id: SessionId) -> Execution {
    let (id, now) = (ExecutionId::new(), Timestamp::now());
    let event = |event: &Event| Event { execution_id: id, ts: now, ..event.clone() };
    Execution {
        id,
        session_id,
        started_at: now,
        ended_at: Some(now),
        metrics: Metrics { cpu_ms: 0.0, wall_ms: 0.0, queued_ms: 0.0, ..recorded.metrics },
        events: recorded.events.as_ref().map(|events| events.iter().map(event).collect()),
        ..recorded.clone()
    }
}

/// What these locks guard is whole between any two statements.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
