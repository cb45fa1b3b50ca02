//! Compiled code, on disk, so that only the first start of a version compiles.
//!
//! A file is its content's SHA-256 and the content. It is written beside its place and renamed into it, so two daemons that
//! start at once both end up with a whole file; one that is damaged is compiled anew and replaced.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Instant,
};

use sha2::{Digest, Sha256};
use wasmtime::{Engine, Module};

use crate::EngineError;

const DIGEST: usize = 32;

/// The compiled module, from the cache where it is there and whole.
pub(super) fn load_or_compile(engine: &Engine, code: &[u8], folder: &Path) -> Result<Module, EngineError> {
    let path = folder.join(format!("{}.code", key(engine, code)));
    match load(engine, &path) {
        Ok(module) => return Ok(module),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(path = %path.display(), %error, "compiled code is unusable and is made anew"),
    }
    let begin = Instant::now();
    tracing::info!("compiling the JavaScript engine for this machine; later starts find it in the cache");
    let compiled = engine.precompile_module(code)?;
    tracing::info!(ms = begin.elapsed().as_millis(), "compiled the JavaScript engine");
    if let Err(error) = save(&path, &compiled) {
        tracing::warn!(path = %path.display(), %error, "compiled code cannot be kept; the next start compiles again");
    }
    Ok(deserialize(engine, &compiled)?)
}

/// What the compiled code depends on: the guest, and wasmtime with its settings and this processor's features.
fn key(engine: &Engine, code: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut compatibility = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compatibility);
    let mut digest = Sha256::new();
    digest.update(code);
    digest.update(compatibility.finish().to_le_bytes());
    hex(&digest.finalize()[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn load(engine: &Engine, path: &Path) -> io::Result<Module> {
    let file = fs::read(path)?;
    let (digest, compiled) = file.split_at_checked(DIGEST).ok_or(io::ErrorKind::UnexpectedEof)?;
    if Sha256::digest(compiled)[..] != *digest {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is damaged"));
    }
    deserialize(engine, compiled).map_err(io::Error::other)
}

#[allow(unsafe_code)]
fn deserialize(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Module> {
    // SAFETY: these bytes came from this engine's own compiler, just now or through a file whose digest was checked. Who can
    // write to the user's cache folder on purpose can replace the binary as well.
    unsafe { Module::deserialize(engine, compiled) }
}

fn save(path: &Path, compiled: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let beside: PathBuf = path.with_extension(std::process::id().to_string());
    let content = [&Sha256::digest(compiled)[..], compiled].concat();
    fs::write(&beside, content).and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        // Nothing more can be done about a file that cannot even be removed.
        let _ = fs::remove_file(&beside);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module small enough to compile in no time: `(module)`.
    const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

    fn only_file(folder: &Path) -> PathBuf {
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }

    #[test]
    fn a_damaged_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::default();
        load_or_compile(&engine, EMPTY, folder.path()).unwrap();
        let path = only_file(folder.path());
        let whole = fs::read(&path).unwrap();
        for damaged in [vec![], whole[..20].to_vec(), whole[..whole.len() - 1].to_vec(), {
            let mut bytes = whole.clone();
            bytes[DIGEST + 100] ^= 1;
            bytes
        }] {
            fs::write(&path, damaged).unwrap();
            assert!(load(&engine, &path).is_err());
            load_or_compile(&engine, EMPTY, folder.path()).unwrap();
            assert!(load(&engine, &path).is_ok());
        }
    }

    #[test]
    fn many_starts_at_once_leave_one_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| load_or_compile(&engine, EMPTY, folder.path()).unwrap());
            }
        });
        assert!(load(&engine, &only_file(folder.path())).is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_no_obstacle() {
        let file = tempfile::NamedTempFile::new().unwrap();
        load_or_compile(&Engine::default(), EMPTY, &file.path().join("cache")).unwrap();
    }
}
