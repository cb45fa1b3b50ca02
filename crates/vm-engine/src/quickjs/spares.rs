//! Machines made ahead, one for each image: to make one is most of what it takes to begin a session.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::machine::Machine;
use crate::memory::Image;

/// Nobody has run anything in them.
#[derive(Default)]
pub(super) struct Spares(Mutex<Vec<(Weak<Image>, Machine)>>);

impl Spares {
    /// The one of this image, which is its taker's from then on.
    pub fn take(&self, image: &Arc<Image>) -> Option<Machine> {
        let mut spares = self.lock();
        let at = spares.iter().position(|(of, _)| of.as_ptr() == Arc::as_ptr(image))?;
        Some(spares.swap_remove(at).1)
    }

    pub fn has(&self, image: &Arc<Image>) -> bool {
        self.lock().iter().any(|(of, _)| of.as_ptr() == Arc::as_ptr(image))
    }

    pub fn put(&self, image: &Arc<Image>, machine: Machine) {
        let mut spares = self.lock();
        spares.retain(|(of, _)| of.strong_count() > 0 && of.as_ptr() != Arc::as_ptr(image));
        spares.push((Arc::downgrade(image), machine));
    }

    /// It is whole between any two statements.
    fn lock(&self) -> MutexGuard<'_, Vec<(Weak<Image>, Machine)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
