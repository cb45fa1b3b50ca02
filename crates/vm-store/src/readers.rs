//! The connections that read beside the writer: in WAL mode neither waits for the other.

use std::{
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use rusqlite::{Connection, OpenFlags};

use crate::{StoreError, open::connect};

/// A read takes microseconds, so a few connections serve many threads.
const COUNT: usize = 4;

pub(crate) struct Readers {
    connections: Vec<Mutex<Connection>>,
    turn: AtomicUsize,
}

impl Readers {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let open = |_| connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map(Mutex::new);
        let connections = (0..COUNT).map(open).collect::<Result<_, _>>()?;
        Ok(Self { connections, turn: AtomicUsize::new(0) })
    }

    /// An idle connection; if there is none, the callers queue up at one after the other.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connections.iter().find_map(|connection| connection.try_lock().ok()).unwrap_or_else(|| {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % COUNT;
            // After a panic with it the connection is sound: the transaction was rolled back as it was dropped.
            self.connections[turn].lock().unwrap_or_else(PoisonError::into_inner)
        })
    }
}
