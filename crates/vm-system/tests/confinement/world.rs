//! A worktree, what is around it, every kind of way between them, and how an attempt to take one is judged.

use std::{
    collections::BTreeMap,
    fs,
    hash::{BuildHasher as _, RandomState},
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink},
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    daemon::Daemon,
    http::{Answer, text},
};

/// Of every file and symlink there is one of each, so that every surface finds a kind that it would take.
const ENDINGS: [&str; 5] = ["txt", "js", "mjs", "json", "db"];

/// In `$OUT`, which stands for its path in attempts:
/// - `work`, the worktree: `$WORK`
/// - `work-sibling`, whose path begins like the worktree's, and `folder`
/// - `into`, a symlink to the worktree
/// - `secret.*`, here and in both folders, and a file that has the secret as its name
pub struct World {
    pub daemon: Daemon,
    outer: TempDir,
    /// What nobody inside can know.
    secret: String,
    before: BTreeMap<PathBuf, String>,
    _socket: UnixListener,
}

impl World {
    pub fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        let secret = format!("secret{:x}", RandomState::new().hash_one(0));
        let out = outer.path();
        for folder in [out, &out.join("folder"), &out.join("work-sibling")] {
            fs::create_dir_all(folder).unwrap();
            let script = format!("console.log('{secret}'); throw '{secret}'");
            let json = json!({secret.as_str(): 1}).to_string();
            for (ending, content) in [("txt", &secret), ("js", &script), ("mjs", &script), ("json", &json)] {
                fs::write(folder.join(format!("secret.{ending}")), content).unwrap();
            }
            fs::write(folder.join("index.js"), script).unwrap();
            fs::write(folder.join(&secret), "").unwrap();
        }
        let work = out.join("work");
        fill(&work);
        let socket = UnixListener::bind(work.join("socket.js")).unwrap();
        link_out(out, &work);
        let daemon = Daemon::start();
        let mut world = Self { daemon, outer, secret, before: BTreeMap::new(), _socket: socket };
        world.make_databases();
        world.before = world.outside();
        world
    }

    /// SQLite's files are made by the daemon, in sessions of their own.
    fn make_databases(&self) {
        let template = self.template(&json!({}), &["database"]);
        for (folder, table) in
            [("", &*self.secret), ("folder", &self.secret), ("work-sibling", &self.secret), ("work", "t")]
        {
            let session = self.session_at(&template, &self.outer.path().join(folder));
            let name = if folder == "work" { "inside.db" } else { "secret.db" };
            let code = format!(
                "const db = require('database'); db.configure('sqlite', '{name}');
                 db.exec('CREATE TABLE {table} (v)'); db.exec('INSERT INTO {table} VALUES (?)', '{table}'); db.close()"
            );
            self.daemon.preview(&session, &code);
        }
    }

    pub fn out(&self) -> &Path {
        self.outer.path()
    }

    pub fn work(&self) -> PathBuf {
        self.outer.path().join("work")
    }

    /// A new template with these settings and modules; its id.
    pub fn template(&self, settings: &Value, modules: &[&str]) -> String {
        let count = self.daemon.get("/templates").ok(200).as_array().unwrap().len();
        self.daemon.template_with(&count.to_string(), settings, modules)
    }

    /// What a session of this template in the worktree is made with.
    pub fn new_session(&self, template: &str) -> Value {
        let mut new = self.daemon.new_session(template);
        new["worktree_path"] = json!(self.work());
        new
    }

    /// A new session in the worktree; its id.
    pub fn session(&self, settings: &Value, modules: &[&str]) -> String {
        self.session_at(&self.template(settings, modules), &self.work())
    }

    /// A new session in any folder; its id.
    pub fn session_at(&self, template: &str, worktree: &Path) -> String {
        let mut new = self.daemon.new_session(template);
        new["worktree_path"] = json!(worktree);
        text(&self.daemon.post("/sessions", &new).ok(201)["id"])
    }

    /// The text with the paths that `$OUT` and `$WORK` stand for.
    pub fn fill(&self, text: &str) -> String {
        text.replace("$WORK", self.work().to_str().unwrap()).replace("$OUT", self.out().to_str().unwrap())
    }

    /// A snippet throws an error that says this; its whole message.
    #[track_caller]
    pub fn fails(&self, session: &str, code: &str, said: &str) -> String {
        let code = self.fill(code);
        let answer = self.daemon.repl(session, &code);
        self.judge(session, &code, said, &answer);
        text(&answer.body["error"]["message"])
    }

    /// A module with this source throws an error that says this.
    #[track_caller]
    pub fn fails_as_module(&self, session: &str, source: &str, said: &str) {
        let source = self.fill(source);
        fs::write(self.work().join("sub/attempt.mjs"), &source).unwrap();
        self.judge(session, &source, said, &self.daemon.run_file(session, "sub/attempt.mjs"));
    }

    /// Whether code or request, an attempt is answered with an error that says this; nothing outside has changed, nothing of
    /// it is told or in the worktree, and the session goes on.
    #[track_caller]
    pub fn judge(&self, session: &str, attempt: &str, said: &str, answer: &Answer) {
        let body = &answer.body;
        let has_failed = (400..500).contains(&answer.status) || body["status"] == "error";
        assert!(has_failed, "{attempt:?} succeeded: {body}");
        let message = text(&body["error"]["message"]);
        assert!(message.contains(&self.fill(said)), "{attempt:?}: no {said:?} in {message:?}");
        assert!(!message.to_lowercase().contains("internal error"), "{attempt:?}: {message}");
        self.untouched(attempt, &body.to_string());
        assert_eq!(self.daemon.preview(session, "1 + 1"), "2", "after {attempt:?}");
    }

    /// Nothing outside has changed, and nothing of it is in `told` or in the worktree.
    #[track_caller]
    pub fn untouched(&self, attempt: &str, told: &str) {
        self.unchanged(attempt, told);
        for (path, content) in list(&self.work()) {
            assert!(!content.contains(&self.secret), "{attempt:?} brought the secret into {path:?}");
        }
    }

    /// Nothing outside has changed, and nothing of it is in `told`.
    #[track_caller]
    pub fn unchanged(&self, attempt: &str, told: &str) {
        assert!(!told.contains(&self.secret), "{attempt:?} told the secret: {told}");
        assert_eq!(self.outside(), self.before, "{attempt:?} changed the outside");
    }

    fn outside(&self) -> BTreeMap<PathBuf, String> {
        let mut all = list(self.out());
        all.retain(|path, _| !path.starts_with(self.work()));
        all
    }
}

/// The worktree's own files, of each kind.
fn fill(work: &Path) {
    for folder in ["sub", "race", "parked", "-sibling"] {
        fs::create_dir_all(work.join(folder)).unwrap();
    }
    for folder in ["", "sub", "-sibling"] {
        for (ending, content) in [("txt", "inside"), ("js", "'inside'"), ("mjs", "'inside'"), ("json", "\"inside\"")] {
            fs::write(work.join(folder).join(format!("inside.{ending}")), content).unwrap();
        }
    }
    fs::write(work.join("-sibling/secret.mjs"), "'of the worktree'").unwrap();
    for fifo in ["fifo.txt", "fifo.js", "fifo.db"] {
        assert!(Command::new("mkfifo").arg(work.join(fifo)).status().unwrap().success());
    }
}

/// Symlinks out of the worktree, and one into it.
fn link_out(out: &Path, work: &Path) {
    let link = |target: &Path, name: &str| symlink(target, work.join(name)).unwrap();
    for ending in ENDINGS {
        let name = |stem: &str| format!("{stem}.{ending}");
        link(&Path::new("..").join(name("secret")), &name("link"));
        link(&out.join(name("secret")), &name("absolute"));
        link(Path::new(&name("link")), &name("chain"));
        link(Path::new(&name("loop")), &name("loop"));
        link(&Path::new("..").join(name("new")), &name("dangling"));
        link(&Path::new("../into").join(name("inside")), &name("and-back"));
    }
    for (target, name) in [
        ("..", "up"),
        ("../..", "sub/up"),
        ("/", "root"),
        ("../folder", "folder"),
        ("../work-sibling", "sibling"),
        ("../into", "back"),
        ("/proc/self/root", "proc-root"),
        ("/proc/self/cwd", "proc-cwd"),
        ("/proc/self/fd", "proc-fd"),
        ("../new-folder", "dangling"),
    ] {
        link(Path::new(target), name);
    }
    link(&out.join("folder"), "absolute-folder");
    for ending in ["journal", "wal", "shm"] {
        link(Path::new("../new"), &format!("{ending}.db-{ending}"));
    }
    symlink("work", out.join("into")).unwrap();
}

/// Everything in a folder with its kind, mode and content; no symlink is followed.
fn list(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let kind = metadata.file_type();
        let content = if kind.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else if kind.is_file() {
            String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()
        } else {
            format!("fifo {} socket {}", kind.is_fifo(), kind.is_socket())
        };
        if kind.is_dir() {
            all.extend(list(&path));
        }
        all.insert(path, format!("{:o} {content}", metadata.permissions().mode()));
    }
    all
}
