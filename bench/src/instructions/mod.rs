//! How many instructions hot paths take, against a baseline: `make bench-check`. Counts hardly depend on the machine and on
//! what else it does, so a path that became longer is seen where times would be noise.
//!
//! | module | what it holds |
//! |---|---|
//! | `paths` | the paths |
//! | `count` | counting, with valgrind |

mod count;
mod paths;

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode};

use self::paths::PATHS;
pub use self::paths::run;
use crate::{Result, bench::Bench};

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");
/// What a count may differ by, as a part of the baseline: compilers and libraries differ a little.
const TOLERANCE: f64 = 0.05;

/// Counts, and compares; or keeps what it has counted as the baseline.
pub fn check(bench: &Bench, keep: bool) -> Result<ExitCode> {
    let folder = bench.temporary()?;
    paths::prepare(bench, folder.path())?;
    // the first one compiles: valgrind's processor is not this machine's
    count::total(PATHS[0].name, 1, folder.path())?;
    let counts = PATHS
        .into_iter()
        .map(|path| Ok((path.name.to_string(), count::instructions(path, folder.path())?)))
        .collect::<Result<BTreeMap<_, _>>>()?;
    if keep {
        fs::write(BASELINE, serde_json::to_string_pretty(&counts)? + "\n")?;
        println!("{} counts are kept in {BASELINE}", counts.len());
        return Ok(ExitCode::SUCCESS);
    }
    let is_as_before = compare(&counts, Path::new(BASELINE))?;
    Ok(if is_as_before { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Answers whether no path has become longer.
fn compare(counts: &BTreeMap<String, u64>, baseline: &Path) -> Result<bool> {
    let baseline: BTreeMap<String, u64> = serde_json::from_str(&fs::read_to_string(baseline)?)?;
    let mut is_as_before = true;
    println!("{:44} {:>12} {:>12} {:>8}", "instructions", "baseline", "now", "");
    for (name, count) in counts {
        let before = *baseline.get(name).ok_or_else(|| format!("{name:?} has no baseline; count with --keep"))?;
        let change = *count as f64 / before as f64 - 1.0;
        let result = match change {
            change if change > TOLERANCE => "FAIL",
            change if change < -TOLERANCE => "less: keep it, with --keep",
            _ => "pass",
        };
        is_as_before &= change <= TOLERANCE;
        println!("{name:44} {before:>12} {count:>12} {:>+7.1}%  {result}", 100.0 * change);
    }
    Ok(is_as_before)
}
