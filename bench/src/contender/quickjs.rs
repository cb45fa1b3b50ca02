//! Native QuickJS-NG, as a program that embeds it would use it: one runtime per context, and its interrupt handler.

use std::time::{Duration, Instant};

use rquickjs::{Context, Runtime};

use super::serve;
use crate::Result;

pub struct Worlds {
    library: String,
    worlds: Vec<Context>,
}

impl Worlds {
    pub fn new(library: String) -> Self {
        Self { library, worlds: Vec::new() }
    }

    fn world(&self, runtime: &Runtime) -> Result<Context> {
        // The native stack is larger than the engine's own limit.
        runtime.set_max_stack_size(512 << 10);
        let context = Context::full(runtime)?;
        context.with(|js| js.eval::<(), _>(self.library.as_str()))?;
        Ok(context)
    }
}

impl serve::Worlds for Worlds {
    fn create(&mut self) -> Result<()> {
        let world = self.world(&Runtime::new()?)?;
        self.worlds.push(world);
        Ok(())
    }

    fn eval(&mut self, code: &str) -> Result<f64> {
        Ok(self.worlds.first().ok_or("no context")?.with(|js| js.eval::<f64, _>(code))?)
    }

    fn stop(&mut self, code: &str, after: Duration) -> std::result::Result<(), String> {
        let stop = || -> Result<bool> {
            let runtime = Runtime::new()?;
            let world = self.world(&runtime)?;
            let deadline = Instant::now() + after;
            runtime.set_interrupt_handler(Some(Box::new(move || Instant::now() >= deadline)));
            Ok(world.with(|js| js.eval::<(), _>(code)).is_err())
        };
        match stop() {
            Ok(true) => Ok(()),
            Ok(false) => Err("it ended by itself".into()),
            Err(error) => Err(error.to_string()),
        }
    }
}
