//! The engine in this process, without daemon, database and HTTP.

use std::{
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use vm_engine::{
    Engine, Instance, Mode, Origin, Outcome, Program, ProgramKind, QuickJs, Run, Setup, Step,
    engine::{Image, STACK_SIZE},
    run::Record,
};
use vm_model::{ExecutionId, Limits};

use crate::Result;

/// How a program went.
pub struct Ended {
    pub record: Record,
    pub outcome: Outcome,
    pub took: Duration,
}

/// Does something on a thread with the stack that guest code needs.
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, work)?;
        thread.join().map_err(|_| "the thread of the engine failed")?
    })
}

pub fn open(code_cache: &Path) -> Result<QuickJs> {
    Ok(QuickJs::new(code_cache)?)
}

/// A fresh instance from this image, or from the engine's own, in which no script has run.
pub fn create(engine: &QuickJs, image: Option<&Arc<Image>>, limits: &Limits) -> Result<Box<dyn Instance>> {
    let origin = Origin { image, ..Origin::default() };
    Ok(engine.create(origin, &Setup::plain(limits), Box::new(|_, _, _| Err(Vec::new())))?)
}

/// An image in which a library has run, as a template with that library has it.
pub fn image(engine: &QuickJs, library: &str) -> Result<Arc<Image>> {
    let limits = Limits::default();
    let mut instance = create(engine, None, &limits)?;
    run(instance.as_mut(), library, ProgramKind::Library { global: "_" }, &limits)?;
    Ok(engine.image(&instance.state().ok_or("the library has changed nothing")?)?)
}

/// Runs a program to its end, which must come without waiting.
pub fn run(instance: &mut dyn Instance, source: &str, kind: ProgramKind<'_>, limits: &Limits) -> Result<Ended> {
    let program = Program { name: "<bench>", source: source.as_bytes(), kind, mode: Mode::Sloppy };
    let begin = Instant::now();
    let run = Run::new(ExecutionId::new(), limits);
    let Step::Done(outcome) = instance.start(&program, &run) else { return Err("it waits".into()) };
    let took = begin.elapsed();
    let record = run.take_record();
    match &record.error {
        Some(exception) => Err(exception.message.clone().into()),
        None => Ok(Ended { record, outcome, took }),
    }
}
