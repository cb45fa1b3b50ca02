//! The interpreter against other engines, script by script in turn, so that all have the same machine.

use std::time::Duration;

use crate::{
    Result,
    bench::Bench,
    contender::{self, Answer, Contender, Request},
    stats::{Sample, geometric_mean},
};

const LINE: &str = "compute, geometric mean";
/// Who has not ended by then is shown as that slow.
const PATIENCE: Duration = Duration::from_secs(30);

macro_rules! scripts {
    ($($name:literal)+) => { [$(($name, include_str!(concat!("../../scripts/", $name, ".js")))),+] };
}

/// Name and code; each leaves a number that all engines must agree on.
const SCRIPTS: [(&str, &str); 11] =
    scripts!("fib" "loop" "nbody" "string" "json" "sort" "map" "regex" "richards" "deltablue" "lodash");

pub fn measure(bench: &mut Bench) -> Result<()> {
    let Some(lodash) = bench.lodash_or_skip(&[LINE]) else { return Ok(()) };
    let mut contenders = contender::all(bench, &lodash)?;
    // times[script][contender][round], in microseconds
    let mut times = Vec::new();
    for (name, code) in SCRIPTS {
        let rounds = compare(bench, &mut contenders, name, code)?;
        let medians: Vec<_> = rounds.iter().map(|rounds| Sample::new(rounds.clone()).p50()).collect();
        let others = contenders.iter().zip(&medians).skip(1);
        let others = others.map(|(contender, median)| format!("{} {:.1}", contender.name, median / 1e3));
        let own: Vec<_> = rounds[0].iter().map(|micros| micros / 1e3).collect();
        bench.report.info(&format!("compute: {name}"), "ms", &own, &others.collect::<Vec<_>>().join(", "));
        times.push(rounds);
    }
    let speed = |contender: usize| -> Vec<f64> {
        (0..bench.rounds())
            .map(|round| geometric_mean(times.iter().map(|rounds| rounds[1][round] / rounds[contender][round])))
            .collect()
    };
    let speeds: Vec<_> = (0..contenders.len()).map(speed).collect();
    bench.report.target(LINE, &speeds[0], "the speed of native QuickJS-NG is 1")?;
    for (contender, speed) in contenders.iter().zip(&speeds).skip(2) {
        bench.report.info(&format!("{LINE}: {}", contender.name), "x native", speed, "");
    }
    Ok(())
}

/// The microseconds of each contender in each round.
fn compare(bench: &Bench, contenders: &mut [Contender], name: &str, code: &str) -> Result<Vec<Vec<f64>>> {
    let mut times = vec![Vec::new(); contenders.len()];
    let mut agreed = None;
    for _ in 0..bench.rounds() {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let Some((micros, value)) = eval(contender, code)? else {
                times.push(PATIENCE.as_secs_f64() * 1e6);
                continue;
            };
            times.push(micros);
            if *agreed.get_or_insert(value) != value {
                return Err(format!("{name}: {} says {value:?}, others {agreed:?}", contender.name).into());
            }
        }
    }
    Ok(times)
}

/// How long the code takes in the contender's one context, and its value; nothing if that is too long.
fn eval(contender: &mut Contender, code: &str) -> Result<Option<(f64, Option<f64>)>> {
    if !contender.is_running() {
        contender.ask(&Request::Create { count: 1 }, PATIENCE)?;
    }
    match contender.ask(&Request::Eval { code: code.into(), times: 1 }, PATIENCE)? {
        Some(Answer::Took { micros, value }) => Ok(Some((micros.first().copied().ok_or("no time")?, value))),
        Some(_) => Err(format!("{} cannot compute", contender.name).into()),
        None => Ok(None),
    }
}
