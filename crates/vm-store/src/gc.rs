//! Deletes what is not to be kept any longer, and gives its space back to the file system.
//!
//! All of it in short steps, each a transaction of its own, between which others write.

use std::time::Duration;

use rusqlite::{Connection, params};
use vm_model::{Collected, Timestamp};

use crate::{
    Store, StoreError,
    error::Failure,
    query::{Record, all},
};

/// How many executions and chunks of events one step deletes at most; it takes about a millisecond.
const ROWS: usize = 200;

/// The same while it is looked after each step whether it was enough.
const FEW_ROWS: usize = 30;

/// The same for sessions, which may have some hundred changes each.
const SESSIONS: u32 = 20;

/// How many pages of 4 KiB one step gives back.
const PAGES: u32 = 256;

/// Of the images that no session uses so many are kept, those that were used last, because the next session may.
const UNUSED_IMAGES: usize = 64;

/// The bytes of these together.
const UNUSED_IMAGE_BYTES: u64 = 256 << 20;

/// What is to be kept. Sessions that are ready, and their state, always are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// Executions that ended longer ago are deleted, and so are sessions that were closed or crashed longer ago.
    pub max_age: Option<Duration>,
    /// The oldest executions are deleted until no more bytes of the database than this are in use.
    pub max_bytes: Option<u64>,
}

impl Store {
    /// Deletes what `retention` does not keep, and images that neither a session nor, presumably, the next one uses; then
    /// makes the file as small as it can be. Others can read and write meanwhile.
    ///
    /// # Errors
    /// Only those of the database itself; what was deleted until then stays deleted.
    pub fn gc(&self, retention: &Retention) -> Result<Collected, StoreError> {
        let mut collected = Collected::default();
        if let Some(age) = retention.max_age {
            let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
            let before = Timestamp::now().as_micros().saturating_sub(age);
            while let Some(executions) = self.delete_executions(before, ROWS)? {
                collected.executions += executions;
            }
            loop {
                let sessions = self.delete_sessions(before)?;
                collected.sessions += sessions;
                if sessions == 0 {
                    break;
                }
            }
        }
        if let Some(max_bytes) = retention.max_bytes {
            while self.used_bytes()? > max_bytes
                && let Some(executions) = self.delete_executions(i64::MAX, FEW_ROWS)?
            {
                collected.executions += executions;
            }
        }
        collected.images = self.delete_images()?;
        collected.bytes = self.shrink()?;
        Ok(collected)
    }

    /// One step through the executions that ended before then, oldest first, which deletes no more rows. `None`: there was none.
    fn delete_executions(&self, before: i64, max_rows: usize) -> Result<Option<u64>, StoreError> {
        self.write("delete old executions", |db| {
            let (mut rows, mut executions) = (max_rows, 0);
            for n in oldest_executions(db, before)? {
                // Its events can be more than a step may delete.
                rows -= db
                    .prepare_cached(
                        "DELETE FROM event_chunks WHERE execution = ?1 AND last_seq IN
                         (SELECT last_seq FROM event_chunks WHERE execution = ?1 ORDER BY last_seq LIMIT ?2)",
                    )?
                    .execute(params![n, rows])?;
                if rows == 0 {
                    break;
                }
                let deleted = db.prepare_cached("DELETE FROM executions WHERE n = ?1")?.execute([n])?;
                (rows, executions) = (rows - deleted, executions + deleted as u64);
                if rows == 0 {
                    break;
                }
            }
            Ok((rows < max_rows).then_some(executions))
        })
    }

    fn delete_sessions(&self, before: i64) -> Result<u64, StoreError> {
        self.delete("delete old sessions", |db| {
            let deleted = db
                .prepare_cached(
                    "DELETE FROM sessions WHERE n IN (
                         SELECT n FROM sessions WHERE ended_at < ?1
                             AND NOT EXISTS (SELECT 1 FROM executions WHERE session_id = sessions.id)
                         ORDER BY ended_at LIMIT ?2)",
                )?
                .execute(params![before, SESSIONS])?;
            Ok(deleted as u64)
        })
    }

    fn delete_images(&self) -> Result<u64, StoreError> {
        const UNUSED: &str = "NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.image = images.n)";
        let unused = self.read("list the images", |db| {
            let sql = format!("SELECT n, bytes FROM images WHERE {UNUSED} ORDER BY used_at DESC, n DESC");
            all(db, &sql, [], |row| {
                let row = Record { table: "images", row };
                Ok((row.get::<i64>("n")?, row.get::<u64>("bytes")?))
            })
        })?;
        let (mut kept, mut kept_bytes, mut deleted) = (0, 0, 0);
        for (n, bytes) in unused {
            if kept < UNUSED_IMAGES && kept_bytes + bytes <= UNUSED_IMAGE_BYTES {
                (kept, kept_bytes) = (kept + 1, kept_bytes + bytes);
                continue;
            }
            // A session may have been made from it in the meantime.
            deleted += self.delete(format_args!("delete image {n}"), |db| {
                Ok(db.prepare_cached(&format!("DELETE FROM images WHERE n = ?1 AND {UNUSED}"))?.execute([n])? as u64)
            })?;
        }
        Ok(deleted)
    }

    /// How many bytes of the file are not free; 0 in a damaged one that says that more is free than there is.
    fn used_bytes(&self) -> Result<u64, StoreError> {
        self.stored_bytes().map(|stored| stored.file.saturating_sub(stored.free))
    }

    /// Moves the free pages to the end of the file and cuts it off; returns by how much.
    fn shrink(&self) -> Result<u64, StoreError> {
        let shrink = || {
            let mut bytes = 0;
            loop {
                let (pages, page) = self.writer.pause(|db| give_back(db))?;
                bytes += pages * page;
                if pages == 0 {
                    self.checkpointer.truncate()?;
                    return Ok(bytes);
                }
            }
        };
        shrink().map_err(|failure: Failure| failure.while_doing("shrink the database file"))
    }
}

/// The first of those that are there, unless they ended later than `before`; in the order in which they ended, but for
/// some of the same moment.
fn oldest_executions(db: &Connection, before: i64) -> Result<Vec<i64>, Failure> {
    let sql = "SELECT n, ended_at FROM executions WHERE status <> 'running' ORDER BY n LIMIT ?1";
    let oldest = all(db, sql, [ROWS as i64], |row| {
        let row = Record { table: "executions", row };
        Ok((row.get::<i64>("n")?, row.get::<Option<i64>>("ended_at")?))
    })?;
    Ok(oldest.into_iter().take_while(|(_, ended)| ended.is_none_or(|ended| ended < before)).map(|(n, _)| n).collect())
}

/// How many pages the file has become shorter by, and how large one is.
fn give_back(db: &Connection) -> Result<(u64, u64), Failure> {
    let number = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
    let before = number("page_count")?;
    db.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    Ok((before.saturating_sub(number("page_count")?), number("page_size")?))
}
