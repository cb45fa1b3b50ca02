//! Engines that are compared. Each is a process of its own, so that its memory can be told apart and what does not stop can
//! be killed; all are asked in the same words.
//!
//! | module | what it holds |
//! |---|---|
//! | `serve` | the contender's side of the conversation |
//! | `vm_system` | our engine |
//! | `quickjs` | native QuickJS-NG of the same version |
//!
//! Boa is a program in `bench/competitors`, because it takes minutes to compile; Node is a script there.

mod quickjs;
mod serve;
mod vm_system;

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

pub use serve::{Answer, Request};

use crate::{
    Result,
    bench::Bench,
    process::{self, Memory},
};

const NODE_SCRIPT: &str = include_str!("../../competitors/node.js");
/// The last version for the long-term releases of Node that are common.
const ISOLATED_VM: &str = "isolated-vm@5.0.4";

/// The engines that this very program can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BuiltIn {
    VmSystem,
    QuickJs,
}

impl BuiltIn {
    const ALL: [(&'static str, Self); 2] = [("vm-system", Self::VmSystem), ("quickjs", Self::QuickJs)];

    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        Ok(found.ok_or_else(|| format!("no engine is called {name:?}"))?.1)
    }
}

/// Is one of the engines, until nobody asks any more.
pub fn serve_built_in(engine: BuiltIn, library: &Path, code_cache: &Path) -> Result<()> {
    let library = fs::read_to_string(library)?;
    match engine {
        BuiltIn::VmSystem => {
            crate::engine::on_large_stack(|| serve::serve(vm_system::Worlds::new(&library, code_cache)?))
        }
        BuiltIn::QuickJs => serve::serve(quickjs::Worlds::new(library)),
    }
}

/// An engine that is compared.
pub struct Contender {
    pub name: &'static str,
    /// A context costs as much as a process, so that there cannot be many.
    pub is_heavy: bool,
    program: PathBuf,
    arguments: Vec<String>,
    running: Option<Running>,
}

struct Running {
    child: Child,
    answers: Receiver<Answer>,
}

impl Contender {
    fn new(name: &'static str, program: PathBuf, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Self { name, is_heavy: false, program, arguments, running: None }
    }

    /// Asks for something. Nothing if there is no answer in time: then the process is killed, and the next request goes
    /// to a new one.
    pub fn ask(&mut self, request: &Request, patience: Duration) -> Result<Option<Answer>> {
        let running = self.running()?;
        let stdin = running.child.stdin.as_mut().ok_or("no standard input")?;
        writeln!(stdin, "{}", serde_json::to_string(request)?)?;
        match running.answers.recv_timeout(patience) {
            Ok(Answer::Failed(why)) => Err(format!("{}: {why}", self.name).into()),
            Ok(answer) => Ok(Some(answer)),
            Err(RecvTimeoutError::Timeout) => {
                self.running = None;
                Ok(None)
            }
            Err(RecvTimeoutError::Disconnected) => Err(format!("{} has ended", self.name).into()),
        }
    }

    /// The memory of the process and of those that it has started.
    pub fn memory(&mut self) -> Result<Memory> {
        process::memory(self.running()?.child.id())
    }

    /// Whether it has the contexts that it was asked to make.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    fn running(&mut self) -> Result<&mut Running> {
        let running = match self.running.take() {
            Some(running) => running,
            None => Running::start(&self.program, &self.arguments)?,
        };
        Ok(self.running.insert(running))
    }
}

impl Running {
    fn start(program: &Path, arguments: &[String]) -> Result<Self> {
        let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        let (sender, answers) = channel();
        thread::spawn(move || {
            for line in lines.map_while(std::result::Result::ok) {
                let answer = serde_json::from_str(&line).unwrap_or(Answer::Failed(line));
                // Nobody waits for it any more.
                if sender.send(answer).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, answers })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, and there is nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All that can be had here, our own first and native QuickJS-NG second; the report says why others cannot.
pub fn all(bench: &mut Bench, library: &Path) -> Result<Vec<Contender>> {
    let own = env::current_exe()?;
    let library = library.to_str().ok_or("the library's path is not UTF-8")?;
    let built_in = |name, engine| Contender::new(name, own.clone(), &["--contender", engine, library]);
    let mut contenders = vec![built_in("vm-system", "vm-system"), built_in("QuickJS-NG", "quickjs")];
    let boa = own.with_file_name("../competitors/release/vm-bench-boa");
    if boa.exists() {
        contenders.push(Contender::new("Boa", boa, &[library]));
    } else {
        bench.report.skip("Boa", "it is not built; make bench builds it");
    }
    match node(bench, library) {
        Ok(node) => contenders.extend(node),
        Err(error) => bench.report.skip("node:vm, Node processes, isolated-vm", &error.to_string()),
    }
    Ok(contenders)
}

fn node(bench: &mut Bench, library: &str) -> Result<Vec<Contender>> {
    Command::new("node").arg("--version").output().map_err(|error| format!("node cannot be run: {error}"))?;
    let folder = bench.folder.join("node");
    fs::create_dir_all(&folder)?;
    let script = folder.join("contender.js");
    fs::write(&script, NODE_SCRIPT)?;
    let script = script.to_str().ok_or("the folder's path is not UTF-8")?;
    let contender = |name, mode| Contender::new(name, "node".into(), &["--no-node-snapshot", script, mode, library]);
    let processes = Contender { is_heavy: true, ..contender("Node processes", "processes") };
    let mut contenders = vec![contender("node:vm", "vm"), processes];
    match install_isolated_vm(&folder) {
        Ok(()) => contenders.push(contender("isolated-vm", "isolated")),
        Err(error) => bench.report.skip("isolated-vm", &error.to_string()),
    }
    Ok(contenders)
}

fn install_isolated_vm(folder: &Path) -> Result<()> {
    if loads_isolated_vm(folder)? {
        return Ok(());
    }
    // npm runs a package's install script only when it is named here; this one compiles the addon.
    fs::write(folder.join("package.json"), r#"{"private": true, "allowScripts": {"isolated-vm": true}}"#)?;
    let install = Command::new("npm")
        .args(["install", "--silent", "--no-audit", "--no-fund", ISOLATED_VM, "--prefix"])
        .arg(folder)
        .output()?;
    if install.status.success() && loads_isolated_vm(folder)? {
        return Ok(());
    }
    Err(format!("npm could not install it: {}", String::from_utf8_lossy(&install.stderr).trim()).into())
}

fn loads_isolated_vm(folder: &Path) -> Result<bool> {
    let load = ["--no-node-snapshot", "-e", "require('isolated-vm')"];
    Ok(Command::new("node").args(load).current_dir(folder).output()?.status.success())
}
