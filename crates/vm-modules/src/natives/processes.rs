//! The processes of the system, as `/proc` shows them.

use std::{fs, io, time::Duration};

use rustix::{param::clock_ticks_per_second, process::Pid};

/// One process at one moment.
pub(super) struct Process {
    pub pid: Pid,
    pub parent: Option<Pid>,
    pub group: Option<Pid>,
    /// Its CPU time, with that of the children that it has waited for.
    pub cpu: Duration,
}

/// All that can be seen.
pub(super) fn processes() -> io::Result<Vec<Process>> {
    let names = fs::read_dir("/proc")?.filter_map(|entry| Some(entry.ok()?.file_name()));
    Ok(names.filter_map(|name| read(name.to_str()?.parse().ok()?)).collect())
}

/// Nothing when it has gone meanwhile.
fn read(number: i32) -> Option<Process> {
    let text = fs::read(format!("/proc/{number}/stat")).ok()?;
    parse(number, &String::from_utf8_lossy(&text))
}

fn parse(number: i32, text: &str) -> Option<Process> {
    // `PID (NAME) STATE PARENT GROUP …`, where the name can be anything
    let fields: Vec<_> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    // 0 where there is none, and -1 for the group of one that is just ending
    let pid = |field: usize| Some(fields.get(field)?.parse().ok().filter(|raw| *raw > 0).and_then(Pid::from_raw));
    // utime, stime, cutime and cstime
    let ticks: u64 = fields.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    let cpu = Duration::from_secs(ticks).checked_div(u32::try_from(clock_ticks_per_second()).ok()?)?;
    Some(Process { pid: Pid::from_raw(number)?, parent: pid(1)?, group: pid(2)?, cpu })
}

/// A variable of a process's environment, as it was when its program began. Nothing while it changes its program, and
/// when it has ended.
pub(super) fn variable(process: Pid, name: &str) -> Option<String> {
    let environment = fs::read(format!("/proc/{}/environ", process.as_raw_nonzero())).ok()?;
    let mut variables = environment.split(|byte| *byte == 0).filter_map(|variable| std::str::from_utf8(variable).ok());
    variables.find_map(|variable| variable.strip_prefix(name)?.strip_prefix('=')).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_just_ending_has_no_group() {
        let stat = |group: i32| format!("7 (a) b (c)) X 5 {group} 0 0 -1 0 0 0 0 0 1 2 3 4 20 0");
        let ending = parse(7, &stat(-1)).unwrap();
        assert_eq!((ending.pid.as_raw_pid(), ending.parent, ending.group), (7, Pid::from_raw(5), None));
        assert_eq!(parse(7, &stat(6)).unwrap().group, Pid::from_raw(6));
        assert!(parse(7, "7 (a) X").is_none());
    }
}
