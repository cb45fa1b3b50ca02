//! Our engine, with all that makes an execution: events, limits, and a state to go back to.

use std::{path::Path, sync::Arc, time::Duration};

use vm_engine::{Instance, ProgramKind, QuickJs, StopReason, engine::Image};
use vm_model::{LimitKind, Limits};

use super::serve;
use crate::{Result, engine};

pub struct Worlds {
    engine: QuickJs,
    /// With the library.
    image: Arc<Image>,
    limits: Limits,
    worlds: Vec<Box<dyn Instance>>,
}

impl Worlds {
    pub fn new(library: &str, code_cache: &Path) -> Result<Self> {
        let limits = Limits { cpu_ms: 600_000, wall_ms: 600_000, ..Limits::default() };
        let engine = engine::open(code_cache)?;
        let image = engine::image(&engine, library)?;
        Ok(Self { engine, image, limits, worlds: Vec::new() })
    }

    fn world(&self, limits: &Limits) -> Result<Box<dyn Instance>> {
        engine::create(&self.engine, Some(&self.image), limits)
    }
}

impl serve::Worlds for Worlds {
    fn create(&mut self) -> Result<()> {
        let world = self.world(&self.limits)?;
        self.worlds.push(world);
        Ok(())
    }

    fn eval(&mut self, code: &str) -> Result<f64> {
        let world = self.worlds.first_mut().ok_or("no context")?;
        let ended = engine::run(world.as_mut(), code, ProgramKind::Repl, &self.limits)?;
        Ok(ended.record.result.ok_or("no value")?.preview.parse()?)
    }

    fn stop(&mut self, code: &str, after: Duration) -> std::result::Result<(), String> {
        let limits = Limits { wall_ms: after.as_millis() as u64, ..self.limits.clone() };
        let mut world = self.world(&limits).map_err(|error| error.to_string())?;
        let ended = engine::run(world.as_mut(), code, ProgramKind::Repl, &limits).map_err(|error| error.to_string())?;
        match ended.outcome.stopped {
            Some(StopReason::Limit(LimitKind::WallMs)) => Ok(()),
            other => Err(format!("it ended by itself: {other:?}")),
        }
    }
}
