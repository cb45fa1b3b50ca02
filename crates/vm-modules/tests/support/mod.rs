//! A session's native modules over a folder of its own, called as the engine calls them.

#![allow(clippy::unwrap_used, dead_code)] // each test file uses a part of it

pub mod database;
pub mod files;

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use rmpv::Value;
use tempfile::TempDir;
use vm_modules::{Bounds, Grants, NativeError, Natives, Worktree};

/// What an answer may have in tests.
pub const MAX_BYTES: u64 = 1 << 20;

/// What bounds a call of which a test has nothing else to say.
pub const BOUNDS: Bounds<'static> =
    Bounds { is_stopped: &|| false, charge: &|work| work(), spend: &|_| Duration::from_secs(60), max_bytes: MAX_BYTES };

pub struct Session {
    outer: TempDir,
    natives: Natives,
}

impl Session {
    /// The worktree is the folder `work`; beside it is a file `secret`.
    pub fn new(grants: Grants) -> Self {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("secret"), "secret").unwrap();
        Self::within(outer, &grants)
    }

    pub fn within(outer: TempDir, grants: &Grants) -> Self {
        let work = outer.path().join("work");
        fs::create_dir_all(&work).unwrap();
        let natives = Natives::new(Arc::new(Worktree::open(&work).unwrap()), grants).unwrap();
        Self { outer, natives }
    }

    /// The absolute path of something in the worktree.
    pub fn path(&self, name: &str) -> PathBuf {
        let work = self.outer.path().join("work");
        if name.is_empty() { work } else { work.join(name) }
    }

    /// The absolute path of something beside the worktree.
    pub fn outside(&self, name: &str) -> PathBuf {
        self.outer.path().join(name)
    }

    pub fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    pub fn call(&mut self, function: &str, arguments: &[Value]) -> Result<Value, NativeError> {
        self.call_until(&|| false, function, arguments)
    }

    pub fn call_until(
        &mut self,
        is_stopped: &(dyn Fn() -> bool + Sync),
        function: &str,
        arguments: &[Value],
    ) -> Result<Value, NativeError> {
        self.call_within(&Bounds { is_stopped, ..BOUNDS }, function, arguments)
    }

    pub fn call_within(
        &mut self,
        bounds: &Bounds<'_>,
        function: &str,
        arguments: &[Value],
    ) -> Result<Value, NativeError> {
        let mut request = Vec::new();
        rmpv::encode::write_value(&mut request, &list(arguments.to_vec())).unwrap();
        let answer = self.natives.call(function, &request, bounds)?;
        Ok(rmpv::decode::read_value(&mut answer.as_slice()).unwrap())
    }

    /// With bytes that no engine would send.
    pub fn call_raw(&mut self, function: &str, request: &[u8]) -> Result<Vec<u8>, NativeError> {
        self.natives.call(function, request, &BOUNDS)
    }
}

pub fn text(text: &str) -> Value {
    text.into()
}

pub fn list(items: Vec<Value>) -> Value {
    Value::Array(items)
}

/// An object with options.
pub fn options(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(name, value)| ((*name).into(), value.clone())).collect())
}

/// A property of an answer that is an object.
pub fn property<'a>(object: &'a Value, name: &str) -> &'a Value {
    let entries = object.as_map().unwrap();
    &entries.iter().find(|(key, _)| key.as_str() == Some(name)).unwrap().1
}
