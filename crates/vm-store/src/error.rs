//! What can go wrong, as the caller needs to know it.

use std::path::PathBuf;

use rusqlite::{Error as SqliteError, ErrorCode, ffi::SQLITE_CONSTRAINT_FOREIGNKEY};
use vm_model::{SessionId, TemplateId};

use crate::ImageId;

/// Why a call failed. The message is for a person: what happened, to which thing, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no usable database at the path.
    #[error("cannot open the database {}: {why}{hint}", path.display())]
    CannotOpen {
        /// The database file.
        path: PathBuf,
        /// What is in the way.
        why: String,
        /// What to do about it, from a semicolon on; may be empty.
        hint: &'static str,
    },
    /// Another process, or another [`Store`](crate::Store) of this one, has the database open.
    #[error("the database {} is in use by {}; stop that one, or choose another file", path.display(), name(*holder))]
    InUse {
        /// The database file.
        path: PathBuf,
        /// The id of the process, if it could be told.
        holder: Option<u32>,
    },
    /// The file is a database of another program; it was not touched.
    #[error("{} is a SQLite database of another program and was left as it is; choose another file", path.display())]
    Foreign {
        /// The database file.
        path: PathBuf,
    },
    /// The database was written by a newer version; it was not touched.
    #[error(
        "the database {} has schema version {found}, and this version of vm-system knows versions up to {known}; \
         use the newer vm-system that wrote it, or choose another file", path.display()
    )]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The latest schema version that this program knows.
        known: usize,
    },
    /// A name is taken.
    #[error(transparent)]
    AlreadyExists(#[from] AlreadyExists),
    /// What was to be stored belongs to a template that does not exist.
    #[error("template {0} not found")]
    TemplateNotFound(TemplateId),
    /// What was to be stored belongs to a session that does not exist.
    #[error("session {0} not found")]
    SessionNotFound(SessionId),
    /// What was to be stored belongs to a session that has crashed.
    #[error("session {0} has crashed; its last_error says why")]
    SessionCrashed(SessionId),
    /// A session was to be made from an image that does not exist, or not any more.
    #[error("image {} not found; make it again", .0.0)]
    ImageNotFound(ImageId),
    /// A stored value is not what this program stores there.
    #[error("cannot {doing}: the database is damaged, {table}.{column} {why}; restore the file from a backup")]
    Damaged {
        /// What was being done, to which thing.
        doing: String,
        /// The table concerned.
        table: &'static str,
        /// The column concerned.
        column: &'static str,
        /// What is wrong with the value.
        why: String,
    },
    /// The file is no longer where it was: what would be written now would be lost with it.
    #[error(
        "cannot {doing}: the database {} was moved, deleted or replaced; put the very same file back, or restart the \
         daemon with the one that is there", path.display()
    )]
    Moved {
        /// What was being done, to which thing.
        doing: String,
        /// Where the database was.
        path: PathBuf,
    },
    /// Another program wrote into the file and damaged it.
    #[error(
        "cannot {doing}: another program has written to the database {} and damaged it ({why}); write back what was in \
         it, or stop the daemon and restore the file from a backup", path.display()
    )]
    Overwritten {
        /// What was being done, to which thing.
        doing: String,
        /// The database file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// SQLite failed: the disk is full or read-only, the file is corrupt, a value cannot be stored…
    #[error("cannot {doing}: {source}{}", hint(source))]
    Sqlite {
        /// What was being done, to which thing.
        doing: String,
        /// What SQLite says.
        source: SqliteError,
    },
}

/// A name, or a path within its template, is taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what} already exists; choose another one, or delete that one first")]
pub struct AlreadyExists {
    /// What there is: `a template named "etl"`.
    pub what: String,
    /// The template that has it.
    pub template_id: Option<TemplateId>,
}

fn name(holder: Option<u32>) -> String {
    holder.map_or("another daemon".into(), |id| format!("another daemon, process {id}"))
}

impl StoreError {
    /// The disk that holds the database is full.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Sqlite { source, .. } if source.sqlite_error_code() == Some(ErrorCode::DiskFull))
    }

    /// The database itself cannot be used at this moment: its disk fails, or the file is gone, damaged or not ours to write.
    #[must_use]
    pub fn is_out_of_order(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => !hint(source).is_empty(),
            Self::Damaged { .. } | Self::Moved { .. } | Self::Overwritten { .. } => true,
            _ => false,
        }
    }
}

/// What a person can do about an error of SQLite, from a semicolon on.
pub(crate) fn hint(error: &SqliteError) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "; free some space on the disk that holds the database",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "; make the database file and its folder readable and writable for this user"
        }
        Some(ErrorCode::SystemIoFailure) => "; check the disk that holds the database",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "; close the other program that writes to it",
        Some(ErrorCode::NotADatabase) => "; choose another file, or move this one away",
        Some(ErrorCode::DatabaseCorrupt) => "; restore the file from a backup",
        _ => "",
    }
}

/// What the inside of a transaction fails with: an error that does not know yet what was being done.
pub(crate) enum Failure {
    Sqlite(SqliteError),
    Damaged { table: &'static str, column: &'static str, why: String },
    Moved(PathBuf),
    Overwritten { path: PathBuf, why: String },
    Refused(StoreError),
}

impl Failure {
    /// `missing` if it was a reference to a row that does not exist that made SQLite refuse.
    pub(crate) fn or_missing(error: SqliteError, missing: StoreError) -> Self {
        match error.sqlite_error() {
            Some(cause) if cause.extended_code == SQLITE_CONSTRAINT_FOREIGNKEY => Self::Refused(missing),
            _ => Self::Sqlite(error),
        }
    }

    /// The refusal of what is taken; see [`AlreadyExists`].
    pub(crate) fn taken(what: String, template_id: Option<TemplateId>) -> Self {
        Self::Refused(AlreadyExists { what, template_id }.into())
    }

    /// The error for the caller, who was `doing` this.
    pub(crate) fn while_doing(self, doing: impl ToString) -> StoreError {
        match self {
            Self::Sqlite(source) => StoreError::Sqlite { doing: doing.to_string(), source },
            Self::Damaged { table, column, why } => {
                StoreError::Damaged { doing: doing.to_string(), table, column, why }
            }
            Self::Moved(path) => StoreError::Moved { doing: doing.to_string(), path },
            Self::Overwritten { path, why } => StoreError::Overwritten { doing: doing.to_string(), path, why },
            Self::Refused(error) => error,
        }
    }
}

impl From<SqliteError> for Failure {
    fn from(error: SqliteError) -> Self {
        Self::Sqlite(error)
    }
}
