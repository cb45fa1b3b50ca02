//! What vm-system's speed and size are, in one run: `make bench`. `docs/benchmarks.md` says how.
//!
//! | module | what it holds |
//! |---|---|
//! | `sections` | the lines, one file per section, and the list of them |
//! | `targets` | every target, in one table |
//! | `report` | the table on the terminal, and the same as JSON |
//! | `chart` | a line chart as SVG |
//! | `bench` | what every section is given |
//! | `daemon`, `http`, `api`, `load` | the daemon, and the load generator |
//! | `engine` | the engine in this process |
//! | `contender` | engines that are compared, each a process of its own |
//! | `instructions` | what hot paths take, against a baseline: `make bench-check` |
//! | `process`, `stats` | memory and CPU time; percentiles |

mod api;
mod bench;
mod chart;
mod contender;
mod daemon;
mod engine;
mod http;
mod instructions;
mod load;
mod process;
mod report;
mod sections;
mod stats;
mod targets;

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use clap::Parser;
use serde_json::json;

use crate::{bench::Bench, contender::BuiltIn, report::Report, sections::SECTIONS};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Measures the vm-system that lies beside this program
#[derive(Parser)]
struct Arguments {
    /// Only this section
    #[arg(long, value_parser = SECTIONS.map(|(name, _)| name))]
    only: Option<String>,
    /// Fewer rounds and smaller numbers: shows that everything works, not how fast it is
    #[arg(long)]
    quick: bool,
    /// Instead: count the instructions of hot paths, with valgrind, against those in bench/instructions.json
    #[arg(long)]
    instructions: bool,
    /// What is counted takes the place of those
    #[arg(long, requires = "instructions")]
    keep: bool,
    /// Go one of these paths so many times, in a folder that is prepared for it
    #[arg(long, hide = true, num_args = 3, value_names = ["NAME", "TIMES", "FOLDER"])]
    path: Option<Vec<String>>,
    /// Be one of the engines that are compared, with the library in the file that the next argument names
    #[arg(long, hide = true, num_args = 2, value_names = ["ENGINE", "LIBRARY"])]
    contender: Option<Vec<String>>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let programs = env::current_exe()?.parent().ok_or("this program is nowhere")?.to_path_buf();
    let folder = programs.join("../bench");
    fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    if let Some([engine, library]) = arguments.contender.as_deref() {
        contender::serve_built_in(BuiltIn::named(engine)?, &PathBuf::from(library), &folder.join("code"))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some([name, times, folder]) = arguments.path.as_deref() {
        instructions::run(name, times.parse()?, Path::new(folder))?;
        return Ok(ExitCode::SUCCESS);
    }
    let vm_system = programs.join("vm-system");
    if !vm_system.exists() {
        return Err(format!("{} is not there; use make bench, which builds it", vm_system.display()).into());
    }
    let bench = Bench { vm_system, folder, is_quick: arguments.quick, report: Report::default() };
    if arguments.instructions {
        return instructions::check(&bench, arguments.keep);
    }
    run(bench, arguments.only.as_deref())
}

/// Runs the sections. A missed target is a line of the report; only what could not be measured is a failure.
fn run(mut bench: Bench, only: Option<&str>) -> Result<ExitCode> {
    let mut failed = 0;
    for (name, measure) in SECTIONS.into_iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        bench.report.begin(name);
        if let Err(error) = measure(&mut bench) {
            bench.report.skip(name, &format!("failed: {error}"));
            failed += 1;
        }
    }
    let machine = json!({
        "cores": thread::available_parallelism()?.get(),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease")?.trim(),
        "load_average": fs::read_to_string("/proc/loadavg")?.trim(),
        "is_quick": bench.is_quick,
        "version": env!("CARGO_PKG_VERSION"),
    });
    bench.report.finish(&machine, &bench.folder.join("bench.json"))?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
