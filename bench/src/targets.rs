//! Every target, in one table.

/// What a line's value is to be.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The line's name; no two have the same.
    pub name: &'static str,
    pub comparison: Comparison,
    pub limit: f64,
    pub unit: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    AtMost,
    AtLeast,
}

impl Comparison {
    pub fn symbol(self) -> &'static str {
        match self {
            Self::AtMost => "≤",
            Self::AtLeast => "≥",
        }
    }
}

impl Target {
    pub fn find(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    pub fn is_met(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::AtMost => value <= self.limit,
            Comparison::AtLeast => value >= self.limit,
        }
    }
}

const fn at_most(name: &'static str, limit: f64, unit: &'static str) -> Target {
    Target { name, comparison: Comparison::AtMost, limit, unit }
}

const fn at_least(name: &'static str, limit: f64, unit: &'static str) -> Target {
    Target { name, comparison: Comparison::AtLeast, limit, unit }
}

/// In the order in which they are measured. "x floor" is a multiple of the p50 of `GET /health` in the same round.
pub const TARGETS: &[Target] = &[
    at_most("1+1, p50, durability none", 2.0, "x floor"),
    at_most("1+1, p50", 3.5, "x floor"),
    at_most("1+1, p99", 6.0, "x floor"),
    at_least("1+1, 8 connections on 8 sessions", 6000.0, "/s"),
    at_most("share of the CPU time that the load generator takes", 0.5, ""),
    at_most("10,000 console.log lines in one execution", 50.0, "ms"),
    at_most("session create, plain template, p50", 2.5, "x floor"),
    at_most("session create, lodash and 3 startup files, p50", 2.5, "x floor"),
    at_most("first create after a template change", 3.0, "x its scripts"),
    at_most("stamping an instance, p50", 20.0, "us"),
    at_most("stamping an instance, p99", 100.0, "us"),
    at_most("start to healthy, warm code cache", 50.0, "ms"),
    at_most("start to healthy, first ever", 3000.0, "ms"),
    at_most("release binary", 40.0, "MiB"),
    at_most("stored bytes per 1+1", 600.0, "bytes"),
    at_most("memory per live session with lodash", 200.0, "KiB"),
    at_most("hostile scripts: over the wall limit, max", 100.0, "ms"),
    at_most("hostile scripts: outcomes that none may have", 0.0, ""),
    at_most("neighbour's p99 beside an endless loop", 2.0, "x alone"),
    at_most("neighbour's p99 beside a flood of output", 2.0, "x alone"),
    at_most("neighbour's p99 beside a script that fills its memory", 2.0, "x alone"),
    at_least("compute, geometric mean", 0.75, "x native"),
    at_most("executions per session: 1+1, last ÷ first", FLAT, "x"),
    at_most("executions per session: growth of the daemon's memory", 16.0, "MiB"),
    at_most("live sessions: 1+1, last ÷ first", FLAT, "x"),
    at_most("events per execution: one event, last ÷ first", FLAT, "x"),
    at_most("session memory: 1+1, last ÷ first", FLAT, "x"),
    at_most("history: 1+1, last ÷ first", FLAT, "x"),
    at_most("history: newest 50 executions, last ÷ first", FLAT, "x"),
    at_most("history: growth of the daemon's memory", 16.0, "MiB"),
];

/// What should not grow may still differ by what a shared machine adds.
const FLAT: f64 = 1.5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_targets_have_the_same_name() {
        for (at, target) in TARGETS.iter().enumerate() {
            assert!(TARGETS[..at].iter().all(|other| other.name != target.name), "{}", target.name);
        }
    }

    #[test]
    fn a_target_is_met_up_to_its_limit() {
        assert!(at_most("a", 2.0, "x").is_met(2.0) && !at_most("a", 2.0, "x").is_met(2.1));
        assert!(at_least("a", 2.0, "x").is_met(2.0) && !at_least("a", 2.0, "x").is_met(1.9));
        assert!(!at_most("a", 2.0, "x").is_met(f64::NAN) && !at_least("a", 2.0, "x").is_met(f64::NAN));
    }
}
