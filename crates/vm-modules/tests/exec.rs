//! Commands run in the worktree, and nothing of them outlives the call.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod support;

use std::{
    fs,
    os::fd::AsRawFd,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rmpv::Value;
use support::{BOUNDS, Session, list, text};
use vm_modules::{Bounds, ExecGrant, Grants, NativeError};

fn session() -> Session {
    with_allow_list(None)
}

fn with_allow_list(allow: Option<&[&str]>) -> Session {
    let allow = allow.map(|names| names.iter().map(|name| (*name).to_string()).collect());
    Session::new(Grants { exec: Some(ExecGrant { allow }), ..Grants::default() })
}

fn run(session: &mut Session, command: &str, words: &[&str]) -> Result<String, NativeError> {
    let words = words.iter().map(|word| text(word)).collect();
    session.call("exec.run", &[text(command), list(words)]).map(|output| output.as_str().unwrap().into())
}

fn shell(session: &mut Session, script: &str) -> Result<String, NativeError> {
    run(session, "sh", &["-c", script])
}

/// Runs the script with a flag that is raised as soon as this many processes have written their numbers into files.
fn stop_when_running(script: &str, count: usize) -> (NativeError, Vec<i32>) {
    let mut session = session();
    let folder = session.path("");
    let stop = AtomicBool::new(false);
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            while numbers(&folder).len() < count {
                std::thread::sleep(Duration::from_millis(1));
            }
            stop.store(true, Ordering::Relaxed);
        });
        let is_stopped = || stop.load(Ordering::Relaxed);
        session.call_until(&is_stopped, "exec.run", &[text("sh"), list(vec![text("-c"), text(script)])]).unwrap_err()
    });
    let before = numbers(&folder);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(numbers(&folder).len(), before.len(), "something still starts processes");
    (error, before)
}

/// What scripts wrote with `echo $$ > NAME.pid`.
fn numbers(folder: &Path) -> Vec<i32> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "pid"));
    files.filter_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok()).collect()
}

fn assert_gone(numbers: &[i32]) {
    for number in numbers {
        assert!(!Path::new(&format!("/proc/{number}")).exists(), "{number} is still there");
    }
}

#[test]
fn a_command_runs_in_the_worktree_and_both_streams_come_in_order() {
    let mut session = session();
    assert_eq!(run(&mut session, "pwd", &["-P"]).unwrap().trim_end(), session.path("").to_str().unwrap());
    assert_eq!(shell(&mut session, "echo a; echo b >&2; echo c").unwrap(), "a\nb\nc\n");
    assert_eq!(run(&mut session, "printf", &["%s|", "a b", "", "*"]).unwrap(), "a b||*|");
    assert_eq!(run(&mut session, "printf", &["\\377"]).unwrap(), "\u{fffd}");
    assert_eq!(shell(&mut session, "cat; readlink /proc/self/fd/0").unwrap(), "/dev/null\n");
    assert_eq!(session.call("exec.run", &[text("echo")]).unwrap(), text("\n"));
    // none that `ls` opens itself
    let open = rustix::io::fcntl_dupfd_cloexec(fs::File::open("/dev/null").unwrap(), 100).unwrap();
    let passed_on = run(&mut session, "ls", &["/proc/self/fd"]).unwrap();
    assert!(passed_on.lines().all(|number| number != open.as_raw_fd().to_string()), "{passed_on}");
}

#[test]
fn the_worktree_stays_the_folder_that_was_opened() {
    let mut session = session();
    session.write("here", "");
    fs::rename(session.path(""), session.outside("moved")).unwrap();
    fs::create_dir(session.path("")).unwrap();
    assert_eq!(run(&mut session, "ls", &[]).unwrap(), "here\n");
}

#[test]
fn a_failing_command_is_an_error_with_its_status_and_output() {
    let mut session = session();
    let error = shell(&mut session, "echo before; exit 3").unwrap_err();
    assert_eq!((error.message.as_str(), error.code), ("exit status 3", "ERR_CHILD_PROCESS_STATUS"));
    assert_eq!((error.status, error.output.as_deref()), (Some(3), Some("before\n")));
    let error = shell(&mut session, "kill -TERM $$").unwrap_err();
    assert_eq!((error.message.as_str(), error.code), ("signal: 15 (SIGTERM)", "ERR_CHILD_PROCESS_SIGNAL"));
    let error = run(&mut session, "no-such-command", &[]).unwrap_err();
    assert_eq!((error.message.as_str(), error.code), ("spawn no-such-command ENOENT", "ENOENT"));
    session.write("text", "no program");
    assert_eq!(run(&mut session, "./text", &[]).unwrap_err().code, "EACCES");
}

#[test]
fn only_harmless_variables_are_passed_on() {
    let mut session = session();
    let output = run(&mut session, "env", &[]).unwrap();
    let names: Vec<&str> = output.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert!(names.contains(&"PATH"));
    // nextest and cargo set dozens
    let known = |name: &str| {
        ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "VM_SYSTEM_COMMAND"].contains(&name) || name.starts_with("LC_")
    };
    assert!(names.iter().all(|name| known(name)), "{names:?}");
    assert!(std::env::vars().any(|(name, _)| name.starts_with("CARGO")));
}

#[test]
fn an_allow_list_means_its_very_words() {
    let mut session = with_allow_list(Some(&["echo", "./tool"]));
    assert_eq!(run(&mut session, "echo", &["a"]).unwrap(), "a\n");
    for refused in ["ls", "/bin/echo", "./echo", "../echo", "echo ", "ECHO", "/usr/bin/../bin/echo"] {
        let error = run(&mut session, refused, &[]).unwrap_err();
        assert_eq!(error.code, "EACCES", "{refused}");
        assert!(error.message.contains("echo, ./tool"), "{error}");
    }
    assert_eq!(run(&mut with_allow_list(Some(&[])), "echo", &[]).unwrap_err().code, "EACCES");
}

#[test]
fn wrong_arguments_are_named() {
    let mut session = session();
    for (arguments, code) in [
        (vec![], "ERR_INVALID_ARG_TYPE"),
        (vec![Value::from(1)], "ERR_INVALID_ARG_TYPE"),
        (vec![text("")], "ERR_INVALID_ARG_VALUE"),
        (vec![text("ec\0ho")], "ERR_INVALID_ARG_VALUE"),
        (vec![text("echo"), list(vec![text("a\0b")])], "ERR_INVALID_ARG_VALUE"),
        (vec![text("echo"), text("a")], "ERR_INVALID_ARG_TYPE"),
        (vec![text("echo"), list(vec![Value::from(1)])], "ERR_INVALID_ARG_TYPE"),
    ] {
        let error = session.call("exec.run", &arguments).unwrap_err();
        assert_eq!(error.code, code, "{arguments:?}: {error}");
        assert!(error.message.contains("exec.run"), "{error}");
    }
    let endless = "x".repeat(300_000);
    assert_eq!(run(&mut session, "echo", &[&endless]).unwrap_err().code, "E2BIG");
}

#[test]
fn a_command_that_prints_too_much_is_ended() {
    let mut session = session();
    let error = shell(&mut session, "echo $$ > a.pid; exec yes").unwrap_err();
    assert_eq!(error.code, "ERR_CHILD_PROCESS_STDIO_MAXBUFFER");
    assert_eq!(error.output.unwrap().len() as u64, support::MAX_BYTES);
    assert_gone(&numbers(&session.path("")));
}

#[test]
fn what_a_command_leaves_behind_ends_with_it_and_is_not_waited_for() {
    let mut session = session();
    let script = "sh -c 'echo $$ > a.pid; exec sleep 1000' & \
        setsid sh -c 'echo $$ > b.pid; exec sleep 1000' & \
        (setsid sh -c 'echo $$ > c.pid; exec sleep 1000' &) & \
        env -i setsid sh -c 'setsid sh -c \"echo \\$\\$ > d.pid; exec sleep 1000\" &' & \
        while ! [ -s a.pid -a -s b.pid -a -s c.pid -a -s d.pid ]; do sleep 0.01; done; echo done";
    assert_eq!(shell(&mut session, script).unwrap(), "done\n");
    let numbers = numbers(&session.path(""));
    assert_eq!(numbers.len(), 4);
    assert_gone(&numbers);
}

#[test]
fn a_command_ends_when_the_execution_does() {
    let (error, numbers) = stop_when_running("echo $$ > a.pid; exec sleep 60", 1);
    assert_eq!(error.code, "ERR_CANCELLED");
    assert_gone(&numbers);
}

#[test]
fn a_tree_of_commands_ends_as_a_whole_also_where_it_left_its_group() {
    let script = "for i in 1 2 3 4 5 6 7 8 9 10; do \
            sh -c \"echo \\$\\$ > $i.pid; sleep 60; true\" & \
            setsid sh -c \"echo \\$\\$ > s$i.pid; trap '' TERM HUP INT; sleep 60; true\" & \
        done; exec > /dev/null 2>&1; wait";
    let (error, numbers) = stop_when_running(script, 20);
    assert_eq!(error.code, "ERR_CANCELLED");
    assert_gone(&numbers);
}

#[test]
fn a_process_that_moves_on_into_ever_new_sessions_is_caught() {
    let script = "echo 'echo $$ > $1.pid; sleep 0.002; [ $1 -lt 2000 ] && env -i setsid sh hop $(($1 + 1)) &' > hop; \
        sh hop 1; sleep 60";
    let (error, before) = stop_when_running(script, 20);
    assert_eq!(error.code, "ERR_CANCELLED");
    assert!(before.len() < 2000, "it moved on only so long");
    assert_gone(&before);
}

/// Takes far more than the tenth of a second that is looked for.
const COMPUTE: &str = "i=0; while [ $i -lt 500000 ]; do i=$((i + 1)); done";

#[test]
fn what_a_command_and_its_descendants_compute_is_charged() {
    for script in [
        "COMPUTE",
        "sh -c 'COMPUTE'; true",
        "sh -c 'COMPUTE' & wait",
        "setsid sh -c 'COMPUTE; echo > done' & while ! [ -e done ]; do sleep 0.01; done",
    ] {
        let spent = Mutex::new(Duration::ZERO);
        let spend = |cpu| {
            *spent.lock().unwrap() += cpu;
            Duration::from_secs(60)
        };
        let bounds = Bounds { spend: &spend, ..BOUNDS };
        let script = script.replace("COMPUTE", COMPUTE);
        session().call_within(&bounds, "exec.run", &[text("sh"), list(vec![text("-c"), text(&script)])]).unwrap();
        let spent = spent.into_inner().unwrap();
        assert!(spent > Duration::from_millis(100), "{spent:?}: {script}");
    }
}

#[test]
fn commands_of_several_sessions_do_not_end_each_other() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut session = session();
                for _ in 0..20 {
                    let script = "(setsid sh -c 'sleep 0.02; echo orphan > done' &); \
                        while ! [ -s done ]; do sleep 0.005; done; cat done; rm done";
                    assert_eq!(shell(&mut session, script).unwrap(), "orphan\n");
                }
            });
        }
    });
}
