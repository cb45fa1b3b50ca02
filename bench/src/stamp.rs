//! Stamping a session's instance from the image, inside the process.

use std::{path::Path, time::Instant};

use vm_engine::{Engine, Origin, QuickJs, Setup};
use vm_model::Limits;

use crate::{Result, stats::Sample};

const STAMPS: usize = 2000;

pub fn measure(folder: &Path) -> Result<()> {
    let engine = QuickJs::new(&folder.join("code"))?;
    let limits = Limits::default();
    let mut durations = Vec::with_capacity(STAMPS);
    for _ in 0..STAMPS {
        let begin = Instant::now();
        let instance = engine.create(Origin::default(), &Setup::plain(&limits), Box::new(|_, _, _| Err(Vec::new())))?;
        durations.push(begin.elapsed());
        drop(instance);
    }
    Sample::new(durations).show("stamping an instance from the image", "");
    Ok(())
}
