//! Boa as a contender: `vm-bench-boa LIBRARY`.

#[path = "../../src/contender/serve.rs"]
mod serve;

use std::{env, error::Error, fs, time::Duration};

use boa_engine::{Context, Source};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

struct Worlds {
    library: String,
    worlds: Vec<Context>,
}

impl serve::Worlds for Worlds {
    fn create(&mut self) -> Result<()> {
        let mut world = Context::default();
        eval(&mut world, &self.library)?;
        self.worlds.push(world);
        Ok(())
    }

    fn eval(&mut self, code: &str) -> Result<f64> {
        eval(self.worlds.first_mut().ok_or("no context")?, code)
    }

    fn stop(&mut self, _: &str, _: Duration) -> std::result::Result<(), String> {
        Err("it has no way to stop code from outside".into())
    }
}

fn eval(world: &mut Context, code: &str) -> Result<f64> {
    let value = world.eval(Source::from_bytes(code)).map_err(|error| error.to_string())?;
    Ok(value.as_number().unwrap_or(f64::NAN))
}

fn main() -> Result<()> {
    let library = env::args().nth(1).ok_or("usage: vm-bench-boa LIBRARY")?;
    serve::serve(Worlds { library: fs::read_to_string(library)?, worlds: Vec::new() })
}
