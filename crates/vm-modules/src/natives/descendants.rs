//! The end of all that a command started, also of what has left its process group and its parents.
//!
//! The daemon is the reaper of its descendants: whoever loses its parent becomes a child of the daemon, and nothing gets away
//! from under it. Whose orphan it is says a variable in its environment. One without the variable is a stray, and ends with
//! whichever command ends next.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::{Child, Command, ExitStatus},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions, getpid, kill_process, kill_process_group, pidfd_open,
    set_child_subreaper, waitid, waitpid,
};

/// Says whose descendant a process is.
const MARK: &str = "VM_SYSTEM_COMMAND";

/// For what does not die of SIGKILL: somebody else's process, or one that hangs in the kernel. The next command tries again.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long an orphan has no mark before it counts as a stray: while a process changes its program, its environment is
/// not to be seen.
const STRAY: Duration = Duration::from_millis(50);

/// Between two looks at whether all are gone.
const PAUSE: Duration = Duration::from_millis(1);

/// Every command that runs, with its mark. Held while one starts: until it has its mark it would be nobody's.
static RUNNING: Mutex<BTreeMap<String, Pid>> = Mutex::new(BTreeMap::new());

static NEXT: AtomicU64 = AtomicU64::new(0);

/// From now on, orphans come to this process. All of its children have to be [`Family`]s: others would end with them.
pub(super) fn adopt_orphans() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// A command with all its descendants.
pub(super) struct Family {
    mark: String,
    child: Child,
    pid: Pid,
    handle: OwnedFd,
    /// Orphans without a mark, and since when.
    strays: HashMap<Pid, Instant>,
}

struct Process {
    pid: Pid,
    parent: Option<Pid>,
}

impl Family {
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mark = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        command.env(MARK, &mark).process_group(0);
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = command.spawn()?;
        let pid = Pid::from_child(&child);
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => {
                running.insert(mark.clone(), pid);
                Ok(Self { mark, child, pid, handle, strays: HashMap::new() })
            }
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error.into())
            }
        }
    }

    /// Ready for reading as soon as the command has ended.
    pub fn handle(&self) -> &OwnedFd {
        &self.handle
    }

    /// Kills whoever is left, and says how the command ended.
    pub fn end(mut self) -> io::Result<ExitStatus> {
        let since = Instant::now();
        loop {
            let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            // all at once: a group that forks faster than it can be read would outrun the list
            let _ = kill_process_group(self.pid, Signal::KILL);
            // an error: there is no descriptor left to read with, but there may be one in a moment
            let is_over = self.kill_descendants(&running).unwrap_or(false);
            if is_over || since.elapsed() > PATIENCE {
                running.remove(&self.mark);
                let status = self.child.try_wait()?;
                return status.ok_or_else(|| io::Error::other("the command does not end"));
            }
            drop(running);
            std::thread::sleep(PAUSE);
        }
    }

    /// Whether nobody was left.
    fn kill_descendants(&mut self, running: &BTreeMap<String, Pid>) -> io::Result<bool> {
        let processes = processes()?;
        let children_of =
            |pid| processes.iter().filter(move |process| process.parent == Some(pid)).map(|process| process.pid);
        let mut is_over = self.has_ended()?;
        let mut doomed = vec![self.pid];
        for orphan in children_of(getpid()).filter(|child| !running.values().any(|command| command == child)) {
            if matches!(waitpid(Some(orphan), WaitOptions::NOHANG), Ok(Some(_))) {
                is_over = false;
                continue;
            }
            match self.owns(orphan, running) {
                Some(true) => doomed.push(orphan),
                Some(false) => {}
                None => is_over = false,
            }
        }
        let mut next = 0;
        while let Some(parent) = doomed.get(next).copied() {
            doomed.extend(children_of(parent));
            next += 1;
        }
        for process in &doomed {
            let _ = kill_process(*process, Signal::KILL);
        }
        Ok(is_over && doomed.len() == 1)
    }

    /// Whether an orphan is to end with this command; nothing as long as it cannot be said.
    fn owns(&mut self, orphan: Pid, running: &BTreeMap<String, Pid>) -> Option<bool> {
        let mark = mark_of(orphan).unwrap_or_default();
        if mark == self.mark || running.len() == 1 {
            return Some(true);
        }
        if running.contains_key(&mark) {
            self.strays.remove(&orphan);
            return Some(false);
        }
        let since = self.strays.entry(orphan).or_insert_with(Instant::now);
        (since.elapsed() > STRAY).then_some(true)
    }

    /// Leaves the command to be waited for: until then its number, which is its group's, is nobody else's.
    fn has_ended(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(self.pid), options)?.is_some())
    }
}

fn mark_of(process: Pid) -> Option<String> {
    let environment = fs::read(format!("/proc/{}/environ", process.as_raw_nonzero())).ok()?;
    let mut variables = environment.split(|byte| *byte == 0).filter_map(|variable| std::str::from_utf8(variable).ok());
    variables.find_map(|variable| variable.strip_prefix(MARK)?.strip_prefix('=')).map(str::to_string)
}

fn processes() -> io::Result<Vec<Process>> {
    let names = fs::read_dir("/proc")?.filter_map(|entry| Some(entry.ok()?.file_name()));
    Ok(names.filter_map(|name| read_process(name.to_str()?.parse().ok()?)).collect())
}

/// Nothing when it has gone meanwhile.
fn read_process(number: i32) -> Option<Process> {
    let text = fs::read(format!("/proc/{number}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    // `PID (NAME) STATE PARENT …`, where the name can be anything
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    Some(Process { pid: Pid::from_raw(number)?, parent: Pid::from_raw(fields.nth(1)?.parse().ok()?) })
}
