//! Contexts of other engines: what one with lodash costs, and whether what runs in it can be stopped.

use std::{thread, time::Duration};

use crate::{
    Result,
    bench::Bench,
    contender::{self, Answer, Contender, Request},
    stats::Sample,
};

const CONTEXTS: usize = 100;
/// Where each context is a process.
const HEAVY: usize = 10;
const EVALS: usize = 2000;
const PATIENCE: Duration = Duration::from_secs(60);

/// What is to be stopped: code in JavaScript, and code inside the engine.
const RUNAWAYS: [(&str, &str); 4] = [
    ("a loop", "for (;;) ;"),
    ("a regular expression", "/^(a+)+$/.test('a'.repeat(40) + 'b')"),
    (
        "a sort of texts",
        "const a = Array.from({ length: 1e6 }, (_, i) => 'x' + i * 7919 % 1e6); for (;;) a.slice().sort()",
    ),
    ("a quadratic indexOf", "const a = 'a'.repeat(2e5); for (;;) (a + a).indexOf(a + 'b')"),
];
const STOP_AFTER_MS: u64 = 300;
const MOMENT: Duration = Duration::from_millis(500);
/// Whoever has not stopped so much later does not stop.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

pub fn measure(bench: &mut Bench) -> Result<()> {
    let Some(lodash) = bench.lodash_or_skip(&["contexts"]) else { return Ok(()) };
    for mut contender in contender::all(bench, &lodash)? {
        costs(bench, &mut contender)?;
        for (what, code) in RUNAWAYS {
            stop(bench, &mut contender, what, code)?;
        }
    }
    Ok(())
}

fn costs(bench: &mut Bench, contender: &mut Contender) -> Result<()> {
    let count = if contender.is_heavy { HEAVY } else { bench.scaled(CONTEXTS) };
    // what the first one costs is the engine's own, also what it tidies up a moment later
    took(contender, &Request::Create { count: 1 })?;
    thread::sleep(MOMENT);
    let before = contender.memory()?.pss;
    let created = took(contender, &Request::Create { count })?;
    let each = (contender.memory()?.pss - before) / count as f64 / 1024.0;
    let evals = took(contender, &Request::Eval { code: "1+1".into(), times: bench.scaled(EVALS) })?;
    let name = contender.name;
    bench.report.info(&format!("{name}: a context with lodash, p50"), "us", &[created.p50()], "");
    bench.report.info(&format!("{name}: memory per context"), "KiB", &[each], "Pss");
    bench.report.info(&format!("{name}: 1+1, p50"), "us", &[evals.p50()], "");
    Ok(())
}

fn took(contender: &mut Contender, request: &Request) -> Result<Sample> {
    match contender.ask(request, PATIENCE)? {
        Some(Answer::Took { micros, .. }) => Ok(Sample::new(micros)),
        _ => Err(format!("{} did not answer", contender.name).into()),
    }
}

fn stop(bench: &mut Bench, contender: &mut Contender, what: &str, code: &str) -> Result<()> {
    let line = format!("{}: stops {what}", contender.name);
    let request = Request::Stop { code: code.into(), after_ms: STOP_AFTER_MS };
    match contender.ask(&request, Duration::from_millis(STOP_AFTER_MS) + STOP_PATIENCE)? {
        Some(Answer::Took { micros, .. }) => {
            let over = micros.first().copied().ok_or("no time")? / 1e3 - STOP_AFTER_MS as f64;
            bench.report.info(&line, "ms late", &[over], "");
        }
        Some(Answer::Cannot(why)) => bench.report.cannot(&line, &why),
        Some(Answer::Failed(why)) => return Err(why.into()),
        None => bench.report.cannot(&line, &format!("not within {} s", STOP_PATIENCE.as_secs())),
    }
    Ok(())
}
