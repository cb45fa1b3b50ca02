//! The end of all that a command started, also of what has left its process group and its parents.
//!
//! The daemon is the reaper of its descendants: whoever loses its parent becomes a child of the daemon, and nothing gets away
//! from under it. Whose orphan it is says a variable in its environment. One without the variable is a stray, and ends with
//! whichever command ends next.

use std::{
    collections::{BTreeMap, HashMap},
    io,
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

use super::processes::{processes, variable};

/// The variable that says whose descendant a process is.
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
    /// CPU time of the orphans that have been waited for.
    cpu_of_gone: Duration,
    /// CPU time of all of it; never less than before.
    cpu: Duration,
}

/// Who belongs to a command at one moment.
struct Members {
    /// The command is the first, also when it has ended.
    pids: Vec<Pid>,
    /// Nobody else can belong to it.
    is_complete: bool,
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
                let (strays, cpu) = (HashMap::new(), Duration::ZERO);
                Ok(Self { mark, child, pid, handle, strays, cpu_of_gone: cpu, cpu })
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

    /// The CPU time of the command and its descendants so far, as far as the system tells.
    pub fn cpu_time(&mut self) -> Duration {
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        // an error: there is no descriptor left to read with, but there may be one the next time
        let _ = self.members(&running);
        self.cpu
    }

    /// Kills whoever is left, and says how the command ended and what CPU time all of it took.
    pub fn end(mut self) -> (io::Result<ExitStatus>, Duration) {
        let since = Instant::now();
        loop {
            let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            // all at once: a group that forks faster than it can be read would outrun the list
            let _ = kill_process_group(self.pid, Signal::KILL);
            // an error: as in `cpu_time`
            let is_over = self.kill_descendants(&running).unwrap_or(false);
            if is_over || since.elapsed() > PATIENCE {
                running.remove(&self.mark);
                let status = self.child.try_wait();
                let status =
                    status.and_then(|status| status.ok_or_else(|| io::Error::other("the command does not end")));
                return (status, self.cpu);
            }
            drop(running);
            std::thread::sleep(PAUSE);
        }
    }

    /// Whether nobody was left.
    fn kill_descendants(&mut self, running: &BTreeMap<String, Pid>) -> io::Result<bool> {
        let Members { pids, is_complete } = self.members(running)?;
        for process in &pids {
            let _ = kill_process(*process, Signal::KILL);
        }
        Ok(is_complete && pids.len() == 1 && self.has_ended()?)
    }

    /// Looks who is there, takes leave of orphans that have ended, and adds up the CPU time.
    fn members(&mut self, running: &BTreeMap<String, Pid>) -> io::Result<Members> {
        let processes = processes()?;
        let children_of = |pid| processes.iter().filter(move |process| process.parent == Some(pid));
        let mut is_complete = true;
        let mut members: Vec<_> = processes.iter().filter(|process| process.pid == self.pid).collect();
        for orphan in children_of(getpid()).filter(|child| !running.values().any(|command| *command == child.pid)) {
            if matches!(waitpid(Some(orphan.pid), WaitOptions::NOHANG), Ok(Some(_))) {
                is_complete = false;
                // one that has ended has no mark any more
                if orphan.group == Some(self.pid) || running.len() == 1 {
                    self.cpu_of_gone += orphan.cpu;
                }
                continue;
            }
            match self.owns(orphan.pid, running) {
                Some(true) => members.push(orphan),
                Some(false) => {}
                None => is_complete = false,
            }
        }
        let mut next = 0;
        while let Some(parent) = members.get(next).map(|process| process.pid) {
            members.extend(children_of(parent));
            next += 1;
        }
        let cpu = members.iter().map(|process| process.cpu).sum::<Duration>() + self.cpu_of_gone;
        self.cpu = self.cpu.max(cpu);
        Ok(Members { pids: members.iter().map(|process| process.pid).collect(), is_complete })
    }

    /// Whether an orphan is to end with this command; nothing as long as it cannot be said.
    fn owns(&mut self, orphan: Pid, running: &BTreeMap<String, Pid>) -> Option<bool> {
        let mark = variable(orphan, MARK).unwrap_or_default();
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
