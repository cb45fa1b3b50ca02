//! A session's libraries: read from the cache and run before its startup files.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use sha2::{Digest, Sha256};
use vm_engine::{Instance, Mode, Program, ProgramKind, Run, Step};
use vm_model::ExecutionId;
use vm_modules::libraries::{Cache, Fingerprint, LibraryError, catalog, file_name};

use crate::{Error, core::Parts, live::LiveSession, machine::Machine};

/// How often a library that waits is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// One piece of third-party code.
pub(crate) struct Library {
    /// As the template has it.
    name: String,
    /// As stack traces have it.
    file: String,
    global: String,
    source: String,
}

impl Library {
    pub fn program(&self) -> Program<'_> {
        Program {
            name: &self.file,
            source: self.source.as_bytes(),
            kind: ProgramKind::Library { global: &self.global },
            mode: Mode::Sloppy,
        }
    }
}

/// A template's libraries in their order, each once, however it is named; and after each what the catalog adds to it.
pub(crate) fn read(cache: &Cache, names: &[String]) -> Result<Vec<Library>, LibraryError> {
    let mut libraries: Vec<Library> = Vec::new();
    for name in names {
        let file = format!("<{}>", file_name(name)?);
        if libraries.iter().any(|library| library.file == file) {
            continue;
        }
        let setup = catalog::find(name).and_then(|library| library.setup).map(str::to_string);
        for source in [Some(cache.read(name)?), setup].into_iter().flatten() {
            libraries.push(Library { name: name.clone(), file: file.clone(), global: global(name), source });
        }
    }
    Ok(libraries)
}

/// Runs the template's libraries in a session; answers whether they would do the same another time.
pub(crate) fn load(parts: &Parts, live: &LiveSession, machine: &mut Machine) -> Result<bool, Error> {
    let session_id = live.id;
    let names = &machine.template.template.libraries;
    let libraries = read(&parts.library_cache, names).map_err(|error| Error::Library(session_id, error))?;
    let mut is_repeatable = true;
    for library in &libraries {
        let run = Run::new(ExecutionId::new(), &machine.template.settings.limits);
        live.begin_library(&run)?;
        let result = finish(machine.instance.as_mut(), &library.program(), &run);
        live.end_library();
        result.map_err(|reason| Error::LibraryFailed { session_id, library: library.name.clone(), reason })?;
        // Those of the catalog time themselves while they load (lodash does, fifty times), and show nothing of it.
        let is_known = catalog::find(&library.name).is_some();
        is_repeatable &= if is_known { run.is_repeatable_but_for_the_clock() } else { run.is_repeatable() };
    }
    Ok(is_repeatable)
}

/// What a library says while it loads is nobody's execution, and is dropped.
fn finish(instance: &mut dyn Instance, program: &Program<'_>, run: &Arc<Run>) -> Result<(), String> {
    let mut step = instance.start(program, run);
    let outcome = loop {
        match step {
            Step::Done(outcome) => break outcome,
            Step::Wait(until) => wait(until, run),
        }
        step = instance.resume(run);
    };
    match (outcome.stopped, run.take_record().error) {
        (Some(reason), _) => Err(reason.to_string()),
        (None, Some(exception)) => Err(exception.message),
        (None, None) => Ok(()),
    }
}

/// Until this moment, or until the library is stopped.
fn wait(until: Instant, run: &Run) {
    while !run.is_stopped() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        thread::sleep(left.min(LOOK));
    }
}

/// The catalog's, or the name without its version as an identifier: `left-pad-1.3.0` is `leftPad`.
fn global(name: &str) -> String {
    if let Some(library) = catalog::find(name) {
        return library.global.into();
    }
    let parts = name.split(['-', '.', '_', '+']).filter(|part| !part.is_empty());
    let words = parts.take_while(|part| !part.starts_with(|c: char| c.is_ascii_digit()));
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    words.enumerate().map(|(at, word)| if at == 0 { word.to_string() } else { capital(word) }).collect()
}

/// The hashes of cached libraries, which are read again only when their files have changed.
#[derive(Default)]
pub(crate) struct Hashes(Mutex<HashMap<String, Known>>);

struct Known {
    fingerprint: Fingerprint,
    hashed_at: SystemTime,
    hash: [u8; 32],
}

impl Hashes {
    pub fn get(&self, cache: &Cache, name: &str) -> Result<[u8; 32], LibraryError> {
        let fingerprint = cache.fingerprint(name)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name)
            && known.fingerprint == fingerprint
            && fingerprint.was_settled_at(known.hashed_at)
        {
            return Ok(known.hash);
        }
        let hashed_at = SystemTime::now();
        let hash = Sha256::digest(cache.read(name)?).into();
        known.insert(name.into(), Known { fingerprint, hashed_at, hash });
        Ok(hash)
    }
}
