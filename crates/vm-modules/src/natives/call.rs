//! A session's native modules, and the way from a call's name to its function.

use std::sync::Arc;

use rmpv::Value;

use super::{Bounds, GrantError, Grants, NativeError, arguments::Arguments, database::Database, exec::Exec, fs::Fs};
use crate::Worktree;

/// A session's native modules.
#[derive(Debug)]
pub struct Natives {
    fs: Option<Fs>,
    exec: Option<Exec>,
    database: Option<Database>,
}

impl Natives {
    /// One instance for each session.
    ///
    /// # Errors
    /// A granted folder cannot be opened, or the system does not let `exec` end what its commands start.
    pub fn new(worktree: Arc<Worktree>, grants: &Grants) -> Result<Self, GrantError> {
        let fs = grants.fs.as_ref().map(|grant| Fs::new(worktree.clone(), grant)).transpose()?;
        let exec = grants.exec.as_ref().map(|grant| Exec::new(worktree.clone(), grant)).transpose()?;
        let database = grants.database.as_ref().map(|grant| Database::new(worktree, grant));
        Ok(Self { fs, exec, database })
    }

    /// What is to be kept of them while the session is not in memory; nothing if that is what it was the last time.
    ///
    /// # Errors
    /// SQLite does not say what a database in memory holds.
    pub fn state(&mut self) -> Result<Option<Vec<u8>>, NativeError> {
        self.database.as_mut().map_or(Ok(None), Database::state)
    }

    /// The last state that was asked for was not kept.
    pub fn forget_state(&mut self) {
        if let Some(database) = &mut self.database {
            database.forget_state();
        }
    }

    /// Goes on where this state was kept.
    pub fn restore(&mut self, state: &[u8]) {
        if let Some(database) = &mut self.database {
            database.restore(state);
        }
    }

    /// Whether something is going on that cannot be kept.
    #[must_use]
    pub fn is_in_transaction(&self) -> bool {
        self.database.as_ref().is_some_and(Database::is_in_transaction)
    }

    /// Calls `MODULE.FUNCTION` with the arguments in `request`, one MessagePack array, and answers one MessagePack value.
    /// Nil is JavaScript's `undefined`, a binary its `Uint8Array`.
    ///
    /// # Errors
    /// What the script is to catch. `ERR_UNKNOWN_FUNCTION`: there is no such function, or its module is not granted.
    /// `ERR_CANCELLED`: the execution is to end.
    pub fn call(&mut self, name: &str, request: &[u8], bounds: &Bounds<'_>) -> Result<Vec<u8>, NativeError> {
        let unknown = || NativeError::new("ERR_UNKNOWN_FUNCTION", format!("the session has no native function {name}"));
        let arguments = Arguments::decode(name, request)?;
        bounds.check()?;
        let (module, function) = name.split_once('.').ok_or_else(unknown)?;
        let answer = match (module, self) {
            ("fs", Self { fs: Some(fs), .. }) => fs.call(function, &arguments, bounds),
            ("exec", Self { exec: Some(exec), .. }) => exec.call(function, &arguments, bounds),
            ("database", Self { database: Some(database), .. }) => database.call(function, &arguments, bounds),
            _ => None,
        };
        let answer = answer.ok_or_else(unknown)??;
        if answer.len() as u64 > bounds.max_bytes {
            let message = format!(
                "{name}: the answer has {} bytes, and {} are allowed; ask for less",
                answer.len(),
                bounds.max_bytes
            );
            return Err(NativeError::new("ERR_BUFFER_TOO_LARGE", message));
        }
        Ok(answer)
    }
}

/// As MessagePack.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // writing into memory does not fail
    let _ = rmpv::encode::write_value(&mut bytes, value);
    bytes
}
