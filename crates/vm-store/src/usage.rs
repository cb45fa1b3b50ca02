//! How much is stored.

use crate::{Store, StoreError};

/// Bytes of the database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoredBytes {
    /// The state of all sessions, images aside.
    pub states: u64,
    /// All images.
    pub images: u64,
    /// The file, as it is once the write-ahead log is folded into it.
    pub file: u64,
    /// That part of the file that is free for new rows.
    pub free: u64,
}

impl Store {
    /// How much is stored. Reads the sizes of the parts of every state, but none of the parts: milliseconds with tens of
    /// thousands of sessions.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn stored_bytes(&self) -> Result<StoredBytes, StoreError> {
        self.read("measure the database", |db| {
            let number = |sql| -> rusqlite::Result<u64> { db.prepare_cached(sql)?.query_row([], |row| row.get(0)) };
            let page = number("PRAGMA page_size")?;
            Ok(StoredBytes {
                states: number("SELECT coalesce(sum(bytes), 0) FROM session_changes")?
                    + number("SELECT coalesce(sum(length(host)), 0) FROM session_hosts")?,
                images: number("SELECT coalesce(sum(bytes), 0) FROM images")?,
                file: number("PRAGMA page_count")? * page,
                free: number("PRAGMA freelist_count")? * page,
            })
        })
    }
}
