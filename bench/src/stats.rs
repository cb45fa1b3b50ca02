//! Percentiles of one round, and what several rounds say together.

use std::time::Duration;

/// Microseconds, in ascending order.
#[derive(Clone, Debug, Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    pub fn new(mut micros: Vec<f64>) -> Self {
        micros.sort_unstable_by(f64::total_cmp);
        Self(micros)
    }

    /// The value that this part (0 to 1) of the sample does not exceed.
    pub fn at(&self, part: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * part) as usize).copied().unwrap_or_default()
    }

    pub fn p50(&self) -> f64 {
        self.at(0.50)
    }

    pub fn p99(&self) -> f64 {
        self.at(0.99)
    }

    pub fn max(&self) -> f64 {
        self.at(1.0)
    }
}

/// What a line shows: the median of its rounds, and the lowest and the highest of them.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub lowest: f64,
    pub highest: f64,
}

impl Spread {
    pub fn of(rounds: &[f64]) -> Self {
        let sample = Sample::new(rounds.to_vec());
        Self { median: median(rounds), lowest: sample.at(0.0), highest: sample.max() }
    }
}

/// Between the two in the middle where there is none; nothing (0) of nothing.
pub fn median(rounds: &[f64]) -> f64 {
    let sample = Sample::new(rounds.to_vec());
    let (at, last) = (sample.0.len() / 2, sample.0.len().saturating_sub(1));
    let lower = if sample.0.len().is_multiple_of(2) { at.saturating_sub(1) } else { at };
    let value = |at: usize| sample.0.get(at).copied().unwrap_or_default();
    f64::midpoint(value(lower), value(at.min(last)))
}

pub fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub fn geometric_mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let logs: Vec<_> = values.into_iter().map(f64::ln).collect();
    (logs.iter().sum::<f64>() / logs.len() as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_a_percentile_is_a_value_of_the_sample() {
        assert_eq!((median(&[]), median(&[3.0]), median(&[9.0, 1.0]), median(&[9.0, 1.0, 2.0])), (0.0, 3.0, 5.0, 2.0));
        let sample = Sample::new((0..=100).rev().map(f64::from).collect());
        assert_eq!((sample.p50(), sample.p99(), sample.max()), (50.0, 99.0, 100.0));
        assert_eq!(Sample::default().p50(), 0.0);
    }

    #[test]
    fn a_factor_and_its_inverse_have_a_mean_of_one() {
        assert!((geometric_mean([4.0, 0.25]) - 1.0).abs() < 1e-12);
    }
}
