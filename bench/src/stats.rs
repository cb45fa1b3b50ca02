//! Percentiles, and the line that shows them.

use std::time::Duration;

/// Durations in ascending order.
pub struct Sample(Vec<Duration>);

impl Sample {
    pub fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations)
    }

    /// The value that this part (0 to 1) of the sample does not exceed.
    pub fn at(&self, part: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * part) as usize).copied().unwrap_or_default()
    }

    pub fn p50(&self) -> Duration {
        self.at(0.50)
    }

    pub fn show(&self, what: &str, ratio: &str) {
        println!("{what:44} {:>12} {:>12}  {ratio}", micros(self.p50()), micros(self.at(0.99)));
    }

    /// Shows the sample with its median as a multiple of another's.
    pub fn show_against(&self, what: &str, floor: &Self) {
        let times = |part| self.at(part).as_secs_f64() / floor.p50().as_secs_f64();
        self.show(what, &format!("p50 {:.1} x floor, p99 {:.1} x floor", times(0.50), times(0.99)));
    }
}

fn micros(duration: Duration) -> String {
    format!("{:.1} us", duration.as_secs_f64() * 1e6)
}
