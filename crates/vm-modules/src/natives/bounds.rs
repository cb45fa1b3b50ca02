//! What bounds a call.

use std::time::Duration;

use super::NativeError;

/// What bounds one call.
#[derive(Clone, Copy)]
pub struct Bounds<'a> {
    /// Whether the execution is to end; looked at every 5 ms or more often by everything that can take longer.
    pub is_stopped: &'a (dyn Fn() -> bool + Sync),
    /// What a call does on a thread of its own, it does within this: it runs the work it is given, and charges the execution
    /// with the thread's CPU time.
    pub charge: &'a (dyn Fn(&mut dyn FnMut()) + Sync),
    /// Adds CPU time that other processes have used to the execution's, and answers how much it may still use; at nothing
    /// the execution is to end.
    pub spend: &'a (dyn Fn(Duration) -> Duration + Sync),
    /// The most bytes that the answer may have.
    pub max_bytes: u64,
}

impl Bounds<'_> {
    /// To be called between the parts of what can take long.
    pub(super) fn check(&self) -> Result<(), NativeError> {
        if (self.is_stopped)() { Err(NativeError::cancelled()) } else { Ok(()) }
    }
}
