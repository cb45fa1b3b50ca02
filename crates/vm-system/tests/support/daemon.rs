//! A real daemon with a folder of its own.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    path::PathBuf,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use reqwest::{Method, blocking::Client};
use rustix::process::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    binary::{self, Output},
    document::BASE,
    http::{Answer, text},
};

/// Shared by all tests, so that the engine is compiled once and not once per test.
pub const CODE_CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/code-cache");

/// Far beyond anything that is promised: who waits longer waits for something that will not happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The daemon closes a connection that has been idle for 10 s; one that it may just be closing is not used again.
const REUSED: Duration = Duration::from_secs(5);

/// An id that nothing has.
pub const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

/// A running daemon; killed when dropped.
pub struct Daemon {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub url: String,
    pub folder: TempDir,
    http: Client,
}

impl Daemon {
    pub fn start() -> Self {
        Self::start_with(tempfile::tempdir().unwrap(), &[])
    }

    /// Starts on the database that this folder may have from an earlier daemon, with these flags.
    pub fn start_with(folder: TempDir, flags: &[&str]) -> Self {
        let command = binary::command(folder.path());
        Self::start_by(command, folder, flags)
    }

    /// The same by this command, which is or becomes the binary.
    pub fn start_by(mut command: Command, folder: TempDir, flags: &[&str]) -> Self {
        fs::create_dir_all(folder.path().join("worktree")).unwrap();
        let log = folder.path().join("daemon.log");
        command.args(["serve", "--code-cache", CODE_CACHE]).args(flags);
        for (flag, usual) in [("--db", "x.db"), ("--listen", "127.0.0.1:0")] {
            if !flags.contains(&flag) {
                command.args([flag, usual]);
            }
        }
        command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(url) = line.trim_end().strip_prefix("vm-system is listening on ") else {
            let _ = child.kill();
            panic!("the daemon said {line:?}; its log:\n{}", fs::read_to_string(log).unwrap());
        };
        let http = Client::builder().no_proxy().timeout(PATIENCE).pool_idle_timeout(REUSED).build().unwrap();
        Self { url: url.into(), child, stdout, folder, http }
    }

    /// Where it listens, as `HOST:PORT`.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("daemon.log")).unwrap()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal and waits for the end; what the daemon wrote to standard output after its first line.
    pub fn signal(&mut self, signal: &str) -> (ExitStatus, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        self.wait()
    }

    /// Waits for the end; what the daemon wrote to standard output after its first line.
    pub fn wait(&mut self) -> (ExitStatus, String) {
        let status = wait_for(|| self.child.try_wait().unwrap());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (status, rest)
    }

    /// Ends this daemon, if it has not ended yet, and starts another one on its database.
    pub fn restart(mut self) -> Self {
        if self.child.try_wait().unwrap().is_none() {
            self.signal("TERM");
        }
        Self::start_with(self.into_folder(), &[])
    }

    /// What is left of it.
    pub fn into_folder(mut self) -> TempDir {
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// Runs a command against this daemon.
    pub fn cli(&self, args: &[&str]) -> Output {
        self.cli_with_input(args, "")
    }

    pub fn cli_with_input(&self, args: &[&str], input: &str) -> Output {
        let mut command = binary::command(self.folder.path());
        binary::run(command.args(args).env("VM_SYSTEM_SERVER_URL", &self.url), input)
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path))
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::POST, path).json(body))
    }

    #[track_caller]
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::PATCH, path).json(body))
    }

    /// Posts without a body.
    #[track_caller]
    pub fn post_nothing(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::POST, path))
    }

    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::DELETE, path))
    }

    /// A request of the caller's own making.
    pub fn request(&self, method: Method, path: &str) -> reqwest::blocking::RequestBuilder {
        self.http.request(method, format!("{}{BASE}{path}", self.url))
    }

    /// A new template with these settings; its id.
    #[track_caller]
    pub fn template(&self, name: &str, settings: &Value) -> String {
        text(&self.post("/templates", &json!({"name": name, "settings": settings})).ok(201)["id"])
    }

    /// A new template with these settings and native modules; its id.
    #[track_caller]
    pub fn template_with(&self, name: &str, settings: &Value, modules: &[&str]) -> String {
        let template = self.template(name, settings);
        for module in modules {
            self.post(&format!("/templates/{template}/modules"), &json!({"name": module})).ok(201);
        }
        template
    }

    /// What a session of this template is made with.
    pub fn new_session(&self, template: &str) -> Value {
        json!({"template_id": template, "workspace_id": "ws", "base_commit_oid": "abc", "worktree_path": self.worktree()})
    }

    /// A new session of this template; its id.
    #[track_caller]
    pub fn session_of(&self, template: &str) -> String {
        text(&self.post("/sessions", &self.new_session(template)).ok(201)["id"])
    }

    /// A new session of a new template with the default settings; its id.
    #[track_caller]
    pub fn session(&self) -> String {
        self.session_of(&self.template("plain", &json!({})))
    }

    /// A new session of a new template with these native modules; its id.
    #[track_caller]
    pub fn session_with(&self, modules: &[&str]) -> String {
        self.session_of(&self.template_with(&modules.join(" "), &json!({}), modules))
    }

    #[track_caller]
    pub fn repl(&self, session: &str, input: &str) -> Answer {
        self.post("/executions/repl", &json!({"session_id": session, "input": input}))
    }

    #[track_caller]
    pub fn run_file(&self, session: &str, path: &str) -> Answer {
        self.post("/executions/run-file", &json!({"session_id": session, "path": path}))
    }

    /// The preview of the snippet's value, which it must have.
    #[track_caller]
    pub fn preview(&self, session: &str, input: &str) -> String {
        let execution = self.repl(session, input).ok(201);
        assert_eq!(execution["status"], "ok", "{input}: {execution}");
        text(&execution["result"]["preview"])
    }

    /// The message of what the snippet throws, which it must.
    #[track_caller]
    pub fn failure(&self, session: &str, input: &str) -> String {
        failure(&self.repl(session, input).ok(201))
    }

    /// The same for a file.
    #[track_caller]
    pub fn failure_of_file(&self, session: &str, path: &str) -> String {
        failure(&self.run_file(session, path).ok(201))
    }

    /// What a file prints, which must end well.
    #[track_caller]
    pub fn console(&self, session: &str, path: &str) -> Vec<String> {
        let execution = self.run_file(session, path).ok(201);
        assert_eq!(execution["status"], "ok", "{path}: {execution}");
        let events = execution["events"].as_array().unwrap().iter();
        events.filter(|event| event["type"] == "console").map(|event| text(&event["payload"]["text"])).collect()
    }

    /// The executions of a session, newest first.
    #[track_caller]
    pub fn executions(&self, session: &str) -> Vec<Value> {
        let list = self.get(&format!("/executions?session_id={session}")).ok(200);
        list.as_array().unwrap().clone()
    }

    /// Runs code that does not end by itself, and when it is running, `meanwhile`, which is to end it; the code's answer.
    #[track_caller]
    pub fn while_running(&self, session: &str, input: &str, meanwhile: impl FnOnce()) -> Answer {
        thread::scope(|scope| {
            let running = scope.spawn(|| self.repl(session, input));
            wait_for(|| {
                let executions = self.executions(session);
                executions.iter().any(|execution| execution["status"] == "running").then_some(())
            });
            meanwhile();
            running.join().unwrap()
        })
    }

    pub fn worktree(&self) -> PathBuf {
        self.folder.path().join("worktree")
    }

    /// Writes a file of the worktree.
    pub fn write(&self, path: &str, content: &str) {
        let path = self.worktree().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn failure(execution: &Value) -> String {
    assert_eq!(execution["status"], "error", "{execution}");
    text(&execution["error"]["message"])
}

/// Asks again and again until there is an answer.
#[track_caller]
pub fn wait_for<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain");
        thread::sleep(Duration::from_millis(10));
    }
}
