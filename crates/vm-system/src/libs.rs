//! `libs …`: the one group of commands that works on files of this machine and needs no daemon.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use vm_modules::libraries::{
    CATALOG, Cache, Library, catalog,
    download::{Cdn, DownloadError, Outcome, Via, download},
};

use crate::{error::Error, output::Output, progress::Progress, table::table};

/// `vm-system libs …`
#[derive(Subcommand)]
pub enum LibsCommand {
    /// Fetch libraries of the catalog into the cache
    Download {
        /// The libraries [default: the whole catalog]
        #[arg(value_name = "NAME", value_parser = of_catalog)]
        names: Vec<&'static Library>,
        /// Where to get them: cdn, npm (which runs your own npm), or auto, which is npm if the CDN cannot be reached
        #[arg(long, value_name = "WAY", default_value = "auto")]
        via: Via,
        /// The CDN, which must have the files of npm packages under NAME@VERSION/FILE
        #[arg(long, value_name = "URL", default_value = Cdn::DEFAULT)]
        cdn: Cdn,
        #[command(flatten)]
        folder: CacheFolder,
    },
    /// List the libraries of the catalog, and what else is cached
    List {
        #[command(flatten)]
        folder: CacheFolder,
    },
    /// Show where the cache is and how much is in it
    CacheInfo {
        #[command(flatten)]
        folder: CacheFolder,
    },
}

#[derive(Args)]
pub struct CacheFolder {
    /// The folder of the libraries
    #[arg(long, value_name = "PATH", default_value = Cache::DEFAULT_FOLDER)]
    cache_dir: PathBuf,
}

impl LibsCommand {
    /// Does it and prints what came of it. A library that could not be downloaded is a failure of the command.
    pub async fn run(self, output: Output) -> Result<(), Error> {
        match self {
            Self::Download { names, via, cdn, folder } => {
                let libraries = if names.is_empty() { CATALOG.iter().collect() } else { without_repeats(names) };
                let report = fill(&folder.cache(), &libraries, via, &cdn).await;
                output.print(&report, report_lines)?;
                match report.failures() {
                    0 => Ok(()),
                    failed => Err(Error::Download { failed, of: libraries.len() }),
                }
            }
            Self::List { folder } => output.print(&list(&folder.cache())?, |lines| list_table(lines)),
            Self::CacheInfo { folder } => output.print(&info(&folder.cache())?, info_lines),
        }
    }
}

impl CacheFolder {
    fn cache(self) -> Cache {
        Cache::new(self.cache_dir)
    }
}

fn of_catalog(name: &str) -> Result<&'static Library, String> {
    let names = || CATALOG.map(|library| library.name).join(", ");
    catalog::find(name).ok_or_else(|| format!("the catalog has {}; put other files into the cache yourself", names()))
}

fn without_repeats(libraries: Vec<&'static Library>) -> Vec<&'static Library> {
    let mut unique: Vec<&Library> = Vec::new();
    for library in libraries {
        if !unique.contains(&library) {
            unique.push(library);
        }
    }
    unique
}

/// What `libs download` has done.
#[derive(Serialize)]
struct Report {
    path: String,
    libraries: Vec<Reported>,
}

#[derive(Serialize)]
struct Reported {
    name: &'static str,
    version: &'static str,
    #[serde(flatten)]
    result: Fetched,
}

#[derive(Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Fetched {
    Downloaded { bytes: usize, source: String },
    Cached,
    Failed { error: String },
}

async fn fill(cache: &Cache, libraries: &[&'static Library], via: Via, cdn: &Cdn) -> Report {
    let progress = Progress::new(libraries);
    let results = download(cache, libraries, via, cdn, &|library, event| progress.show(library, &event)).await;
    progress.end();
    let reported = libraries.iter().zip(results).map(|(library, result)| Reported {
        name: library.name,
        version: library.version,
        result: match result {
            Ok(Outcome::AlreadyCached) => Fetched::Cached,
            Ok(Outcome::Downloaded { bytes, source }) => Fetched::Downloaded { bytes, source: source.to_string() },
            Err(error) => Fetched::Failed { error: with_advice(&error) },
        },
    });
    Report { path: cache.folder().display().to_string(), libraries: reported.collect() }
}

fn with_advice(error: &DownloadError) -> String {
    match error.advice() {
        Some(advice) => format!("{error}; {advice}"),
        None => error.to_string(),
    }
}

impl Report {
    fn failures(&self) -> usize {
        self.libraries.iter().filter(|library| matches!(library.result, Fetched::Failed { .. })).count()
    }
}

fn report_lines(report: &Report) -> Vec<String> {
    let line = |Reported { name, version, result }: &Reported| match result {
        Fetched::Downloaded { bytes, source } => format!("Downloaded {name}-{version} ({bytes} bytes, {source})"),
        Fetched::Cached => format!("Already cached: {name}-{version}"),
        Fetched::Failed { error } => format!("Failed: {name}-{version}: {error}"),
    };
    let mut lines: Vec<_> = report.libraries.iter().map(line).collect();
    let all = report.libraries.len();
    lines.push(format!("{} of {all} libraries are in {}", all - report.failures(), report.path));
    lines
}

/// A library of the catalog, or another one that is cached.
#[derive(Serialize)]
struct Listed {
    name: String,
    version: String,
    global: Option<&'static str>,
    status: &'static str,
    bytes: Option<u64>,
}

fn list(cache: &Cache) -> Result<Vec<Listed>, Error> {
    let files = cache.list()?;
    let of_catalog = CATALOG.iter().map(|library| {
        let file = files.iter().find(|file| file.catalog && file.name == library.name);
        Listed {
            name: library.name.into(),
            version: library.version.into(),
            global: Some(library.global),
            status: file.map_or("missing", |file| if file.verified { "cached" } else { "damaged" }),
            bytes: file.map(|file| file.bytes),
        }
    });
    let others = files.iter().filter(|file| !file.catalog).map(|file| Listed {
        name: file.name.clone(),
        version: file.version.clone(),
        global: None,
        status: "cached",
        bytes: Some(file.bytes),
    });
    Ok(of_catalog.chain(others).collect())
}

fn list_table(lines: &[Listed]) -> Vec<String> {
    let row = |Listed { name, version, global, status, bytes }: &Listed| {
        let size = bytes.map(|bytes| bytes.to_string()).unwrap_or_default();
        [name.clone(), version.clone(), global.unwrap_or_default().into(), (*status).into(), size]
    };
    table(["NAME", "VERSION", "GLOBAL", "STATUS", "SIZE"], lines.iter().map(row), "No libraries found")
}

/// The cache as a whole.
#[derive(Serialize)]
struct Info {
    path: String,
    /// Whole libraries of the catalog.
    cached: usize,
    catalog: usize,
    files: usize,
    bytes: u64,
}

fn info(cache: &Cache) -> Result<Info, Error> {
    let files = cache.list()?;
    Ok(Info {
        path: cache.folder().display().to_string(),
        cached: files.iter().filter(|file| file.verified).count(),
        catalog: CATALOG.len(),
        files: files.len(),
        bytes: files.iter().map(|file| file.bytes).sum(),
    })
}

fn info_lines(info: &Info) -> Vec<String> {
    vec![
        format!("Path: {}", info.path),
        format!("Libraries Cached: {} of {}", info.cached, info.catalog),
        format!("Files: {}", info.files),
        format!("Bytes: {}", info.bytes),
    ]
}
