//! A session with the module `fs`.

use rmpv::Value;
use vm_modules::{FsGrant, FsRoot, Grants, NativeError};

use super::{Session, options, text};

pub fn grants(roots: Vec<FsRoot>) -> Grants {
    Grants { fs: Some(FsGrant { roots }), ..Grants::default() }
}

pub fn session() -> Session {
    Session::new(grants(vec![]))
}

pub fn read(session: &mut Session, path: &str) -> Result<Value, NativeError> {
    session.call("fs.readFileSync", &[text(path), text("utf8")])
}

pub fn write(session: &mut Session, path: &str, data: &str) -> Result<Value, NativeError> {
    session.call("fs.writeFileSync", &[text(path), text(data)])
}

pub fn remove(session: &mut Session, path: &str) -> Result<Value, NativeError> {
    session.call("fs.rmSync", &[text(path), options(&[("recursive", true.into()), ("force", true.into())])])
}
