//! How SQLite gets to know that the execution ends. Its handlers belong to the connection and outlive the call, whose bounds
//! they therefore cannot hold: they find them with the thread.

use std::time::Duration;

use scoped_tls_hkt::scoped_thread_local;

use super::super::Bounds;

scoped_thread_local!(static BOUNDS: for<'a> &'a Bounds<'a>);

/// How long a database that somebody else has locked is waited for, in pauses.
const MAX_PAUSES: i32 = 1000;
const PAUSE: Duration = Duration::from_millis(5);

/// Runs something with SQLite within the bounds of a call.
pub(super) fn while_running<T>(bounds: &Bounds<'_>, run: impl FnOnce() -> T) -> T {
    BOUNDS.set(bounds, run)
}

/// Whether the call on this thread is to end. Between calls, such as when a connection is closed, nothing does.
pub(super) fn is_stopped() -> bool {
    BOUNDS.is_set() && BOUNDS.with(|bounds| (bounds.is_stopped)())
}

/// Whether a locked database is to be tried again, after it was `pauses` times.
pub(super) fn wait_for_lock(pauses: i32) -> bool {
    if pauses >= MAX_PAUSES || is_stopped() {
        return false;
    }
    std::thread::sleep(PAUSE);
    true
}
