//! What must not cost more when there is more of it. Each curve is measured at growing numbers, drawn as a chart, and its
//! last point compared with its first one.
//!
//! | module | what grows |
//! |---|---|
//! | `executions` | the executions of a session |
//! | `sessions` | the live sessions |
//! | `events` | the events of one execution |
//! | `memory` | the memory of a session |
//! | `history` | what is recorded in the database |

mod events;
mod executions;
mod history;
mod memory;
mod sessions;

use crate::{
    Result,
    api::health,
    bench::Bench,
    chart::{Chart, Series},
    http::Connection,
    load::time_in_turn,
    process::Memory,
    stats::Sample,
};

const CALLS: usize = 1000;

pub fn measure(bench: &mut Bench) -> Result<()> {
    executions::measure(bench)?;
    sessions::measure(bench)?;
    events::measure(bench)?;
    memory::measure(bench)?;
    history::measure(bench)
}

/// A cost at growing numbers.
struct Curve(Series);

impl Curve {
    fn new(name: &'static str) -> Self {
        Self(Series { name, points: Vec::new() })
    }

    fn add(&mut self, number: usize, cost: f64) {
        self.0.points.push((number as f64, cost));
    }

    /// The last point as a multiple of the first one.
    fn growth(&self) -> f64 {
        self.last() / self.first()
    }

    fn first(&self) -> f64 {
        self.0.points.first().map_or(f64::NAN, |point| point.1)
    }

    fn last(&self) -> f64 {
        self.0.points.last().map_or(f64::NAN, |point| point.1)
    }

    /// All points, for a line's note.
    fn shown(&self) -> String {
        let points: Vec<_> = self.0.points.iter().map(|(number, cost)| format!("{number}: {cost:.2}")).collect();
        points.join(", ")
    }
}

/// Draws curves of one unit into one chart.
fn draw(bench: &mut Bench, file: &str, title: &str, x: &str, y: &str, curves: Vec<Curve>) -> Result<()> {
    let series: Vec<_> = curves.into_iter().map(|curve| curve.0).collect();
    let svg = Chart { title, x, y, series: &series }.svg();
    let folder = bench.folder.clone();
    bench.report.chart(file, &svg, &folder)
}

/// The p50 of a call as a multiple of the floor, which is measured beside it: the median of the rounds.
fn against_floor(bench: &Bench, connection: &mut Connection, request: &[u8]) -> Result<f64> {
    let round = |_| {
        let [floor, calls] = time_in_turn(connection, [&health(), request], bench.scaled(CALLS))?;
        Ok(calls.p50() / floor.p50())
    };
    let rounds: Result<Vec<f64>> = (0..bench.rounds()).map(round).collect();
    Ok(Sample::new(rounds?).p50())
}

fn mib(memory: Memory) -> f64 {
    memory.pss / f64::from(1 << 20)
}
