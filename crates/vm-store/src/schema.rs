//! Says whose file it is, and brings its tables up to date.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::{StoreError, open::cannot_open};

/// The number in the file's header by which SQLite files of different programs are told apart: "vmsy".
const APPLICATION_ID: u32 = u32::from_be_bytes(*b"vmsy");

/// How a database is made that can give free pages back: see [`Store::gc`](crate::Store::gc).
const INCREMENTAL: i64 = 2;

/// Script `i` brings a database of schema version `i` to version `i + 1`. Scripts that were released never change.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first_schema.sql"),
    include_str!("../migrations/0002_capabilities.sql"),
    include_str!("../migrations/0003_session_state.sql"),
    include_str!("../migrations/0004_event_chunks.sql"),
    include_str!("../migrations/0005_host_flag.sql"),
    include_str!("../migrations/0006_packed_events.sql"),
    include_str!("../migrations/0007_changes_in_blocks.sql"),
    include_str!("../migrations/0008_redo_log.sql"),
    include_str!("../migrations/0009_redo_key.sql"),
];

/// Makes the file at `path`, which `db` has open, a database of the present schema in WAL mode.
pub(crate) fn prepare(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    // Before the first write: a file that is not ours, or too new for us, stays as it is.
    let found = version(db, path)?;
    // Before the first table: from then on it takes a `VACUUM`.
    if !can_shrink(db).map_err(cannot_open(path))? {
        db.pragma_update(None, "auto_vacuum", INCREMENTAL).map_err(cannot_open(path))?;
    }
    let mode: String =
        db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(cannot_open(path))?;
    if mode != "wal" {
        return Err(StoreError::CannotOpen {
            path: path.into(),
            why: "its file system does not support write-ahead logging".into(),
            hint: "; choose a file on a local disk",
        });
    }
    migrate(db, found, MIGRATIONS).map_err(cannot_open(path))?;
    if found == 0 {
        // In a new one, later scripts have emptied what the first ones made.
        db.execute_batch("PRAGMA incremental_vacuum").map_err(cannot_open(path))?;
    }
    // One of an older version. Interrupted, it is as before.
    if !can_shrink(db).map_err(cannot_open(path))?
        && let Err(error) = db.execute_batch("VACUUM")
    {
        tracing::warn!(%error, "the database file cannot be written anew, and will not give free space back");
    }
    // Where nothing may be made in its folder, this is the first thing to fail.
    db.execute_batch("BEGIN IMMEDIATE; COMMIT").map_err(cannot_open(path))
}

fn can_shrink(db: &Connection) -> rusqlite::Result<bool> {
    Ok(db.pragma_query_value(None, "auto_vacuum", |row| row.get::<_, i64>(0))? == INCREMENTAL)
}

/// The schema version of a database that is ours; 0 if it is empty.
fn version(db: &Connection, path: &Path) -> Result<usize, StoreError> {
    let number = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(cannot_open(path));
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let empty = (application, version, tables) == (0, 0, 0);
    if application != i64::from(APPLICATION_ID) && !empty {
        return Err(StoreError::Foreign { path: path.into() });
    }
    let known = MIGRATIONS.len();
    match usize::try_from(version) {
        Ok(version) if version <= known => Ok(version),
        // A negative number, too, is none of this version's.
        _ => Err(StoreError::NewerSchema { path: path.into(), found: version, known }),
    }
}

/// Runs the scripts from version `from` on, each in a transaction of its own with the version that it leads to.
fn migrate(db: &mut Connection, from: usize, scripts: &[&str]) -> rusqlite::Result<()> {
    for (i, script) in scripts.iter().enumerate().skip(from) {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(script)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", i + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user_version(db: &Connection) -> i64 {
        db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn only_the_scripts_that_are_missing_run() {
        let mut db = Connection::open_in_memory().unwrap();
        let first = "CREATE TABLE a (x); INSERT INTO a VALUES (1);";
        let second = "UPDATE a SET x = x + 1;";
        migrate(&mut db, 0, &[first]).unwrap();
        assert_eq!(user_version(&db), 1);
        migrate(&mut db, 1, &[first, second]).unwrap();
        migrate(&mut db, 2, &[first, second]).unwrap();
        assert_eq!(user_version(&db), 2);
        assert_eq!(db.query_row("SELECT x FROM a", [], |row| row.get::<_, i64>(0)).unwrap(), 2);
    }

    #[test]
    fn a_script_that_fails_leaves_the_version_before_it() {
        let mut db = Connection::open_in_memory().unwrap();
        let broken = "CREATE TABLE b (x); CREATE TABLE a (x);";
        assert!(migrate(&mut db, 0, &["CREATE TABLE a (x);", broken]).is_err());
        assert_eq!(user_version(&db), 1);
        assert!(db.prepare("SELECT * FROM a").is_ok());
        assert!(db.prepare("SELECT * FROM b").is_err());
        migrate(&mut db, 1, &["", "CREATE TABLE b (x);"]).unwrap();
        assert_eq!(user_version(&db), 2);
    }
}
