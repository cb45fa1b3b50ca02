//! Things to store, and a folder to store them in.

use std::{path::PathBuf, sync::Arc};

use rusqlite::Connection;
use serde_json::{json, value::RawValue};
use tempfile::TempDir;
use vm_model::{
    Capability, CapabilityId, CapabilityKind, Event, EventType, Execution, ExecutionId, ExecutionKind, ExecutionStatus,
    Metrics, Session, SessionId, SessionStatus, Settings, StartupFile, StartupFileId, Template, TemplateDetail,
    TemplateId, TemplateSettings, Timestamp, ValuePayload,
};
use vm_store::{Change, ImageId, NewImage, Store};

/// The hash of an engine's guest.
pub const GUEST: [u8; 32] = [7; 32];

pub struct Fixture {
    pub store: Store,
    pub folder: TempDir,
}

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { store: Store::open(&folder.path().join("test.db")).unwrap(), folder }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    /// Another program's connection, for doing what the store would not do.
    pub fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    pub fn template(&self, name: &str) -> TemplateId {
        let template = template(name);
        self.store.insert_template(&template, &Settings::default()).unwrap();
        template.id
    }

    /// In the database, `starting`.
    pub fn session(&self) -> Session {
        let session = session();
        self.store.insert_session(&session, &detail("t"), &GUEST, None).unwrap();
        session
    }

    /// In the database, `ready`, made from that image.
    pub fn ready(&self, image: Option<ImageId>) -> Session {
        let session = Session { status: SessionStatus::Ready, ..session() };
        self.store.insert_session(&session, &detail("t"), &GUEST, image).unwrap();
        session
    }

    pub fn image(&self, content: &[u8]) -> ImageId {
        let image = NewImage { key: [1; 32], guest: GUEST, recipe: b"recipe", content };
        self.store.insert_image(&image).unwrap()
    }
}

/// A change of the memory alone, on top of those before.
pub fn change(memory: &[u8]) -> Change {
    Change { memory: memory.into(), host: None, is_whole: false }
}

pub fn template(name: &str) -> Template {
    Template {
        id: TemplateId::new(),
        name: name.into(),
        engine: "goja".into(),
        is_active: true,
        exposed_modules: vec!["database".into(), "fs".into()],
        libraries: vec!["lodash-4.17.21".into()],
        created_at: Timestamp::now(),
        updated_at: Timestamp::from_micros(1_770_598_198_000_123),
    }
}

pub fn startup_file(template_id: TemplateId, path: &str, order_index: i64) -> StartupFile {
    StartupFile { id: StartupFileId::new(), vm_id: template_id, path: path.into(), order_index, mode: "eval".into() }
}

pub fn capability(template_id: TemplateId, kind: CapabilityKind, name: &str) -> Capability {
    let config = json!({"allow": ["git", "ü\0"], "nested": {"number": 0.1}});
    let config = config.as_object().unwrap().clone();
    Capability { id: CapabilityId::new(), vm_id: template_id, kind, name: name.into(), enabled: false, config }
}

pub fn detail(name: &str) -> Arc<TemplateDetail> {
    let template = template(name);
    let Settings { limits, resolver, runtime } = Settings::default();
    Arc::new(TemplateDetail {
        settings: TemplateSettings { vm_id: template.id, limits, resolver, runtime },
        capabilities: vec![capability(template.id, CapabilityKind::Module, "exec")],
        startup_files: vec![startup_file(template.id, "init.js", 1)],
        template,
    })
}

pub fn session() -> Session {
    let template_id = TemplateId::new();
    Session {
        id: SessionId::new(),
        template_id,
        vm_id: template_id,
        workspace_id: "ws-1".into(),
        base_commit_oid: "deadbeef".into(),
        worktree_path: "/srv/work trees/ü".into(),
        status: SessionStatus::Starting,
        created_at: Timestamp::now(),
        closed_at: None,
        last_error: None,
        runtime_meta: None,
        parent_session_id: None,
        memory: None,
    }
}

pub fn event(execution_id: ExecutionId, seq: u64, kind: EventType, payload: &str) -> Event {
    let payload = RawValue::from_string(payload.into()).unwrap();
    Event { execution_id, seq, ts: Timestamp::now(), kind, payload }
}

/// `1+1` in the REPL.
pub fn one_plus_one(session_id: SessionId) -> Execution {
    let id = ExecutionId::new();
    let json = RawValue::from_string("2".into()).unwrap();
    Execution {
        id,
        session_id,
        kind: ExecutionKind::Repl,
        input: Some("1+1".into()),
        path: None,
        args: vec![],
        env: [].into(),
        status: ExecutionStatus::Ok,
        started_at: Timestamp::now(),
        ended_at: Some(Timestamp::now()),
        result: Some(ValuePayload { kind: "number".into(), preview: "2".into(), json: Some(json) }),
        error: None,
        metrics: Metrics {
            cpu_ms: 0.030_123_456_789_012_345,
            wall_ms: 0.1 + 0.2,
            queued_ms: 0.25,
            mem_bytes: 1_310_720,
            events: 2,
            output_bytes: 54,
            rolled_back: false,
        },
        events: Some(vec![
            event(id, 1, EventType::InputEcho, r#"{"text":"1+1"}"#),
            event(id, 2, EventType::Value, r#"{"type":"number","preview":"2","json":2}"#),
        ]),
    }
}

/// Equal in every field, payload texts included.
pub fn assert_same<T: serde::Serialize>(left: &T, right: &T) {
    assert_eq!(serde_json::to_string(left).unwrap(), serde_json::to_string(right).unwrap());
}
