//! How many executions compute at once.
//!
//! An execution starts when one of a few slots is free, and waits for one without holding a thread. One that takes long
//! steps aside: it goes on at a low priority, and its slot is free for others. So neither many short executions nor a few
//! endless ones keep a new one waiting.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// As many long executions step aside; one more keeps its slot.
const MAX_LONG: usize = 128;

#[derive(Debug)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    aside: Arc<Semaphore>,
}

/// The right to compute, until dropped.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    permit: Arc<Mutex<OwnedSemaphorePermit>>,
    aside: Arc<Semaphore>,
}

impl Slots {
    pub fn new(at_once: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(at_once)), aside: Arc::new(Semaphore::new(MAX_LONG)) }
    }

    /// A slot if one is free at this moment.
    pub fn try_take(&self) -> Option<Slot> {
        self.free.clone().try_acquire_owned().ok().map(|permit| self.slot(permit))
    }

    /// A slot as soon as one is free.
    pub async fn take(&self) -> Result<Slot, Error> {
        let permit = self.free.clone().acquire_owned().await.map_err(|_| Error::ShuttingDown)?;
        Ok(self.slot(permit))
    }

    fn slot(&self, permit: OwnedSemaphorePermit) -> Slot {
        Slot { permit: Arc::new(Mutex::new(permit)), aside: self.aside.clone() }
    }
}

impl Slot {
    /// Frees the slot for another execution, while this one goes on.
    pub fn step_aside(&self) {
        if let Ok(permit) = self.aside.clone().try_acquire_owned() {
            *self.permit.lock().unwrap_or_else(PoisonError::into_inner) = permit;
        }
    }
}
