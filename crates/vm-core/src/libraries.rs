//! A session's libraries: read from the cache and run before its startup files.

use std::{sync::Arc, thread, time::Instant};

use vm_engine::{Instance, Mode, Program, ProgramKind, Run, Step};
use vm_model::{ExecutionId, Limits};
use vm_modules::libraries::{catalog, file_name};

use crate::{Error, core::Parts, live::LiveSession};

/// Runs the template's libraries in their order, each once, however it is named.
pub(crate) fn load(parts: &Parts, live: &Arc<LiveSession>) -> Result<(), Error> {
    let mut turn = live.take_startup_turn()?;
    let Some(instance) = turn.as_mut() else {
        return Err(Error::SessionNotReady { session_id: live.id, status: live.status() });
    };
    let mut loaded = Vec::new();
    for name in &live.template.template.libraries {
        let failed = |reason: String| Error::LibraryFailed { session_id: live.id, library: name.clone(), reason };
        let file = file_name(name)?;
        if !loaded.contains(&file) {
            let source = parts.library_cache.read(name).map_err(|error| Error::Library(live.id, error))?;
            let setup = catalog::find(name).and_then(|library| library.setup);
            for source in [Some(source.as_str()), setup].into_iter().flatten() {
                let program = Program {
                    name: &format!("<{file}>"),
                    source: source.as_bytes(),
                    kind: ProgramKind::Library { global: &global(name) },
                    mode: Mode::Sloppy,
                };
                run(instance.as_mut(), &program, &live.template.settings.limits).map_err(failed)?;
            }
            loaded.push(file);
        }
    }
    Ok(())
}

/// What a library says while it loads is nobody's execution, and is dropped.
fn run(instance: &mut dyn Instance, program: &Program<'_>, limits: &Limits) -> Result<(), String> {
    let run = Run::new(ExecutionId::new(), limits);
    let mut step = instance.start(program, &run);
    let outcome = loop {
        match step {
            Step::Done(outcome) => break outcome,
            Step::Wait(until) => thread::sleep(until.saturating_duration_since(Instant::now())),
        }
        step = instance.resume(&run);
    };
    match (outcome.stopped, run.take_record().error) {
        (Some(reason), _) => Err(reason.to_string()),
        (None, Some(exception)) => Err(exception.message),
        (None, None) => Ok(()),
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
