//! The interpreter in its sandbox against native QuickJS-NG of the same version, script by script in turn.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use vm_engine::{
    Engine, Instance, Mode, Origin, Outcome, Program, ProgramKind, QuickJs, Run, Setup, Step, engine::STACK_SIZE,
};
use vm_model::{ExecutionId, Limits};

use crate::{Result, stats::Sample};

const ROUNDS: usize = 5;

/// Name and code; each leaves a number that both engines must agree on.
const SCRIPTS: [(&str, &str); 7] = [
    ("fib", "(function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) })(24)"),
    ("loop", "(() => { let x = 0; for (let i = 0; i < 3e6; i++) x = (x + i * 7) % 1000003; return x })()"),
    (
        "nbody",
        "(() => { const p = [[0, 0], [1, 0], [0, 2], [3, 1]], v = p.map(() => [0, 0]); for (let s = 0; s < 8000; s++) { \
         for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) if (i !== j) { const dx = p[j][0] - p[i][0], dy = \
         p[j][1] - p[i][1], d = 1 / (0.1 + dx * dx + dy * dy); v[i][0] += dx * d * 1e-3; v[i][1] += dy * d * 1e-3 } for \
         (let i = 0; i < 4; i++) { p[i][0] += v[i][0] * 1e-3; p[i][1] += v[i][1] * 1e-3 } } return Math.round(p[3][0] * \
         1e9) })()",
    ),
    (
        "string",
        "(() => { let s = ''; for (let i = 0; i < 200000; i++) s += i; return s.split('9').join('-').length })()",
    ),
    (
        "json",
        "(() => { const o = Array.from({ length: 3000 }, (_, i) => ({ i, s: 'item ' + i, a: [i, i + 1] })); let n = 0; for \
         (let k = 0; k < 8; k++) n += JSON.stringify(JSON.parse(JSON.stringify(o))).length; return n })()",
    ),
    (
        "sort",
        "(() => { const a = Array.from({ length: 60000 }, (_, i) => (i * 7919) % 100003); a.sort((x, y) => x - y); return \
         a[1234] })()",
    ),
    (
        "map",
        "(() => { const m = new Map(); for (let i = 0; i < 150000; i++) m.set('k' + (i % 5000), i); let n = 0; for (const \
         [k, v] of m) n += v; return n })()",
    ),
];

pub fn measure(folder: &Path) -> Result<()> {
    let engine = QuickJs::new(&folder.join("code"))?;
    let work = move || compare(&engine);
    let thread = thread::Builder::new().stack_size(STACK_SIZE).spawn(work)?;
    thread.join().map_err(|_| "the comparison failed")?
}

fn compare(engine: &QuickJs) -> Result<()> {
    let limits = Limits::default();
    let mut instance = engine.create(Origin::default(), &Setup::plain(&limits), Box::new(|_, _, _| Err(Vec::new())))?;
    let context = rquickjs::Context::full(&rquickjs::Runtime::new()?)?;
    let mut logs = 0.0;
    for (name, code) in SCRIPTS {
        let (mut own, mut native) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            let expected = context.with(|js| js.eval::<f64, _>(code))?;
            native.push(begin.elapsed());
            let (value, took) = evaluate(instance.as_mut(), code, &limits)?;
            own.push(took);
            if value.parse::<f64>()? != expected {
                return Err(format!("{name}: {value} instead of {expected}").into());
            }
        }
        let (own, native) = (Sample::new(own), Sample::new(native));
        let ratio = own.p50().as_secs_f64() / native.p50().as_secs_f64();
        logs += ratio.ln();
        own.show(&format!("compute: {name}"), &format!("{ratio:.2} x native QuickJS-NG"));
    }
    let mean = (logs / SCRIPTS.len() as f64).exp();
    println!("{:44} {:>25}  {mean:.2} x native QuickJS-NG", "compute: geometric mean", "");
    Ok(())
}

fn evaluate(instance: &mut dyn Instance, code: &str, limits: &Limits) -> Result<(String, Duration)> {
    let run = Run::new(ExecutionId::new(), limits);
    let program = Program { name: "<bench>", source: code.as_bytes(), kind: ProgramKind::Repl, mode: Mode::Sloppy };
    let begin = Instant::now();
    match instance.start(&program, &run) {
        Step::Done(Outcome { stopped: None, .. }) => {}
        other => return Err(format!("{other:?}").into()),
    }
    let took = begin.elapsed();
    let value = run.take_record().result.ok_or("no value")?;
    Ok((value.preview, took))
}
