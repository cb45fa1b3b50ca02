use std::{fs, path::Path};

use rusqlite::Connection;
use vm_model::{CapabilityKind, Durability, EventType, SessionId, TemplateId};
use vm_store::{Recovered, Store, StoreError};

use crate::support::{Fixture, GUEST, capability, detail, one_plus_one, session, startup_file};

/// The message of the refusal, which names the path.
fn refusal(path: &Path) -> String {
    let Err(error) = Store::open(path) else { panic!("{} was opened", path.display()) };
    let message = error.to_string();
    assert!(message.contains(&*path.canonicalize().unwrap_or(path.into()).to_string_lossy()), "{message}");
    message
}

#[test]
fn a_missing_file_is_made_and_found_again() {
    let Fixture { store, folder } = Fixture::new();
    let path = folder.path().join("test.db");
    drop(store);
    assert!(path.is_file());
    assert!(!folder.path().join("test.db-wal").exists(), "closing folds the log into the file");
    let before = fs::read(&path).unwrap();
    drop(Store::open(&path).unwrap());
    assert!(fs::read(&path).unwrap() == before, "opening a database of the present schema changes nothing");
}

#[test]
fn a_database_of_an_older_schema_is_opened_with_all_that_is_in_it() {
    for version in [1, 2, 3] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let old = Connection::open(&path).unwrap();
        let scripts = [
            include_str!("../../migrations/0001_first_schema.sql"),
            include_str!("../../migrations/0002_capabilities.sql"),
            include_str!("../../migrations/0003_session_state.sql"),
        ];
        scripts[..version].iter().for_each(|script| old.execute_batch(script).unwrap());
        let id = TemplateId::new();
        let (file, session, execution) = (startup_file(id, "a.js", 1), session(), one_plus_one(SessionId::new()));
        let live = crate::support::session();
        old.execute_batch(&format!(
            "PRAGMA application_id = 0x766d7379;
             PRAGMA user_version = {version};
             INSERT INTO templates VALUES (1, x'{template}', 'old', 'goja', 1, '{{}}', '[\"fs\"]', '[]', 5, 6);
             INSERT INTO startup_files VALUES (1, x'{file}', x'{template}', 'a.js', 1, 'eval');
             INSERT INTO sessions (n, id, template_id, workspace_id, base_commit_oid, worktree_path, status, created_at,
                 closed_at, last_error, runtime_meta, template) VALUES
                 (1, x'{session}', x'{template}', 'w', 'c', '/', 'closed', 5, 6, NULL, NULL, '{{}}'),
                 (2, x'{live}', x'{template}', 'w', 'c', '/', 'ready', 5, NULL, NULL, NULL, '{detail}');
             INSERT INTO executions VALUES (1, x'{execution}', x'{session}', 'repl', '1', NULL, NULL, NULL, 'ok', 5, 6,
                 NULL, NULL, '{metrics}');
             INSERT INTO events WITH RECURSIVE t (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 200)
                 SELECT 1, i, i * 5, 'console', '{{ \"i\": \"' || i || '\" }}' FROM t;",
            template = hex(id),
            file = hex(file.id),
            session = hex(session.id),
            live = hex(live.id),
            detail = serde_json::to_string(detail("old").as_ref()).unwrap(),
            execution = hex(execution.id),
            metrics = serde_json::to_string(&execution.metrics).unwrap(),
        ))
        .unwrap();
        drop(old);
        let auto_vacuum =
            || Connection::open(&path).unwrap().query_row("PRAGMA auto_vacuum", [], |row| row.get::<_, i64>(0));
        assert_eq!(auto_vacuum(), Ok(0));

        let store = Store::open(&path).unwrap();
        let template = store.template(id).unwrap().unwrap();
        assert_eq!((&*template.template.name, &*template.template.exposed_modules), ("old", &["fs".to_string()][..]));
        assert_eq!((&template.startup_files, &template.capabilities), (&vec![file], &vec![]));
        assert_eq!(template.settings.runtime.durability, Durability::Execution);
        assert_eq!(store.session(session.id).unwrap().unwrap().template_id, id);
        assert_eq!(store.executions(session.id, 9).unwrap()[0].id, execution.id);
        let events = store.events(execution.id, 0).unwrap().unwrap();
        assert!(events.iter().map(|event| event.seq).eq(1..=200));
        for event in events {
            assert_eq!(event.payload.get(), format!(r#"{{ "i": "{}" }}"#, event.seq));
            assert_eq!((event.ts.as_micros() as u64, event.kind), (event.seq * 5, EventType::Console));
        }
        assert_eq!(store.events(execution.id, 100).unwrap().unwrap().len(), 100);
        store.insert_capability(&capability(id, CapabilityKind::Module, "exec")).unwrap();
        assert_eq!(store.template(id).unwrap().unwrap().capabilities.len(), 1);
        assert_eq!(store.stored_session(live.id).unwrap().unwrap().state, None);
        assert_eq!(store.recover(&GUEST).unwrap(), Recovered { ready: 0, crashed: 1, cancelled: 0 });
        assert_eq!(auto_vacuum(), Ok(2), "free pages can be given back");
    }
}

/// An id as SQL writes its bytes.
fn hex(id: impl ToString) -> String {
    id.to_string().replace('-', "")
}

#[test]
fn an_empty_file_and_odd_names_will_do() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["empty.db", "file:x?mode=memory", ":memory:", "ü '\"%20.db"] {
        let path = folder.path().join(name);
        fs::write(&path, "").unwrap();
        drop(Store::open(&path).unwrap());
        assert!(fs::metadata(&path).unwrap().len() > 0, "{name}");
    }
}

#[test]
fn a_path_that_cannot_hold_a_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let message = refusal(&folder.path().join("no/such/folder/x.db"));
    assert!(message.contains("its folder does not exist; create"), "{message}");
    let message = refusal(folder.path());
    assert!(message.contains("it is a folder; name a file"), "{message}");
    fs::write(folder.path().join("file"), "").unwrap();
    let message = refusal(&folder.path().join("file/x.db"));
    assert!(message.contains("Not a directory"), "{message}");
}

#[test]
fn garbage_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let garbage = "dear diary\n".repeat(1000);
    fs::write(&path, &garbage).unwrap();
    let message = refusal(&path);
    assert!(message.contains("file is not a database; choose another file"), "{message}");
    assert_eq!(fs::read_to_string(&path).unwrap(), garbage);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sql) in [
        ("tables.db", "CREATE TABLE photos (id)"),
        ("marked.db", "PRAGMA application_id = 7; VACUUM"),
        ("versioned.db", "PRAGMA user_version = 1; VACUUM"),
    ] {
        let path = folder.path().join(name);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(&path).unwrap();
        let message = refusal(&path);
        assert!(message.contains("another program"), "{name}: {message}");
        assert!(matches!(Store::open(&path), Err(StoreError::Foreign { .. })));
        assert!(fs::read(&path).unwrap() == before, "{name} was changed");
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    let Fixture { store, folder } = Fixture::new();
    drop(store);
    let path = folder.path().join("test.db");
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 9999").unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::NewerSchema { found: 9999, .. })));
    assert!(refusal(&path).contains("schema version 9999"));
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn a_database_has_one_store_at_a_time_whatever_it_is_called() {
    let fixture = Fixture::new();
    let link = fixture.folder.path().join("link.db");
    std::os::unix::fs::symlink(fixture.path(), &link).unwrap();
    for path in [fixture.path(), link] {
        assert!(matches!(Store::open(&path), Err(StoreError::InUse { .. })));
        let holder = format!("in use by another daemon, process {}; stop that one", std::process::id());
        assert!(refusal(&path).contains(&holder), "{}", refusal(&path));
    }
    let Fixture { store, folder } = fixture;
    drop(store);
    Store::open(&folder.path().join("test.db")).unwrap();
}

#[test]
fn a_file_that_cannot_be_written_is_refused() {
    let Fixture { store, folder } = Fixture::new();
    drop(store);
    let path = folder.path().join("test.db");
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    if fs::OpenOptions::new().write(true).open(&path).is_ok() {
        return; // root may write everything
    }
    assert!(refusal(&path).contains("read-only; make it writable"), "{}", refusal(&path));
}
