use proptest::prelude::*;
use serde_json::json;
use vm_model::{CapabilityKind, Settings, StartupFileId, Template, TemplateId, TemplateSettings};
use vm_store::StoreError;

use crate::support::{Fixture, capability, startup_file, template};

#[test]
fn a_template_comes_back_as_it_was_stored() {
    let fixture = Fixture::new();
    let template = template("first");
    let settings = Settings::default().merged(&json!({"limits": {"wall_ms": 250}, "runtime": {"esm": true}})).unwrap();
    fixture.store.insert_template(&template, &settings).unwrap();
    let file = startup_file(template.id, "init.js", 3);
    fixture.store.insert_startup_file(&file).unwrap();
    let capability = capability(template.id, CapabilityKind::Module, "exec");
    fixture.store.insert_capability(&capability).unwrap();

    let detail = fixture.store.template(template.id).unwrap().unwrap();
    assert_eq!(detail.template, template);
    let Settings { limits, resolver, runtime } = settings;
    assert_eq!(detail.settings, TemplateSettings { vm_id: template.id, limits, resolver, runtime });
    assert_eq!(detail.startup_files, [file]);
    assert_eq!(detail.capabilities, [capability]);
    assert_eq!(fixture.store.templates().unwrap(), [template]);
    assert!(fixture.store.template(TemplateId::new()).unwrap().is_none());
}

#[test]
fn templates_are_listed_newest_first() {
    let fixture = Fixture::new();
    let ids = ["b", "c", "a"].map(|name| fixture.template(name));
    let listed: Vec<_> = fixture.store.templates().unwrap().into_iter().map(|template| template.id).collect();
    assert_eq!(listed, [ids[2], ids[1], ids[0]]);
}

#[test]
fn a_name_is_taken_once() {
    let fixture = Fixture::new();
    let first = fixture.template("twice");
    let error = fixture.store.insert_template(&template("twice"), &Settings::default()).unwrap_err();
    assert!(matches!(&error, StoreError::AlreadyExists(taken) if taken.what.contains("\"twice\"")), "{error:?}");
    fixture.template("Twice");
    assert!(fixture.store.delete_template(first).unwrap());
    fixture.template("twice");
}

#[test]
fn an_id_that_is_taken_is_not_mistaken_for_a_name() {
    let fixture = Fixture::new();
    let mut again = template("one");
    fixture.store.insert_template(&again, &Settings::default()).unwrap();
    again.name = "other".into();
    let error = fixture.store.insert_template(&again, &Settings::default()).unwrap_err();
    assert!(matches!(&error, StoreError::Sqlite { .. }), "{error:?}");
    assert_eq!(error.to_string(), r#"cannot store template "other": UNIQUE constraint failed: templates.id"#);
}

#[test]
fn startup_files_run_by_order_then_by_creation() {
    let fixture = Fixture::new();
    let (ours, other) = (fixture.template("ours"), fixture.template("other"));
    for (path, order) in [("z", 0), ("late", i64::MAX), ("a", 0), ("early", -1)] {
        fixture.store.insert_startup_file(&startup_file(ours, path, order)).unwrap();
    }
    fixture.store.insert_startup_file(&startup_file(other, "a", 0)).unwrap();
    let files = fixture.store.startup_files(ours).unwrap();
    assert_eq!(files.iter().map(|file| &*file.path).collect::<Vec<_>>(), ["early", "z", "a", "late"]);
    assert_eq!(fixture.store.template(ours).unwrap().unwrap().startup_files, files);
}

#[test]
fn a_startup_file_needs_a_template_and_a_path_of_its_own() {
    let fixture = Fixture::new();
    let nobody = TemplateId::new();
    let error = fixture.store.insert_startup_file(&startup_file(nobody, "a.js", 0)).unwrap_err();
    assert!(matches!(error, StoreError::TemplateNotFound(id) if id == nobody), "{error:?}");

    let id = fixture.template("t");
    fixture.store.insert_startup_file(&startup_file(id, "a.js", 0)).unwrap();
    let error = fixture.store.insert_startup_file(&startup_file(id, "a.js", 1)).unwrap_err();
    let expected = |e: &_| matches!(e, StoreError::AlreadyExists(taken) if taken.template_id == Some(id) && taken.what.contains("\"a.js\""));
    assert!(expected(&error), "{error:?}");
    assert_eq!(fixture.store.startup_files(id).unwrap().len(), 1);
}

#[test]
fn a_startup_file_is_deleted_by_its_own_template_only() {
    let fixture = Fixture::new();
    let (ours, other) = (fixture.template("ours"), fixture.template("other"));
    let file = startup_file(ours, "a.js", 0);
    fixture.store.insert_startup_file(&file).unwrap();
    assert!(!fixture.store.delete_startup_file(other, file.id).unwrap());
    assert!(!fixture.store.delete_startup_file(ours, StartupFileId::new()).unwrap());
    assert!(fixture.store.delete_startup_file(ours, file.id).unwrap());
    assert!(!fixture.store.delete_startup_file(ours, file.id).unwrap());
    assert!(fixture.store.startup_files(ours).unwrap().is_empty());
}

#[test]
fn what_a_change_makes_of_a_template_is_stored_as_updated_now() {
    let fixture = Fixture::new();
    let before = template("before");
    fixture.store.insert_template(&before, &Settings::default()).unwrap();
    let file = startup_file(before.id, "a.js", 0);
    fixture.store.insert_startup_file(&file).unwrap();
    let change = |template: &mut Template, settings: &mut Settings| {
        (template.name, template.is_active) = ("after".into(), false);
        template.exposed_modules.push("exec".into());
        template.libraries.clear();
        settings.limits.wall_ms = 7;
        Ok::<_, StoreError>(())
    };
    let after = fixture.store.update_template(before.id, change).unwrap();
    assert_eq!(*fixture.store.template(before.id).unwrap().unwrap(), after);
    assert!(after.template.updated_at > before.updated_at);
    let expected = Template {
        name: "after".into(),
        is_active: false,
        exposed_modules: vec!["database".into(), "fs".into(), "exec".into()],
        libraries: vec![],
        updated_at: after.template.updated_at,
        ..before
    };
    assert_eq!((after.template, after.settings.limits.wall_ms), (expected, 7));
    assert_eq!(after.startup_files, [file]);
}

#[test]
fn a_change_that_fails_or_takes_a_taken_name_changes_nothing() {
    let fixture = Fixture::new();
    let (id, _) = (fixture.template("ours"), fixture.template("taken"));
    let before = fixture.store.template(id).unwrap();
    let rename = |name: &'static str, result: Result<(), StoreError>| {
        fixture.store.update_template(id, |template, settings| {
            template.name = name.into();
            settings.runtime.esm = true;
            result
        })
    };
    let error = rename("taken", Ok(())).unwrap_err();
    assert!(matches!(&error, StoreError::AlreadyExists(taken) if taken.what.contains("\"taken\"")), "{error:?}");
    let error = rename("free", Err(StoreError::TemplateNotFound(id))).unwrap_err();
    assert!(matches!(error, StoreError::TemplateNotFound(_)), "{error:?}");
    assert_eq!(fixture.store.template(id).unwrap(), before);
    assert_eq!(rename("ours", Ok(())).unwrap().template.name, "ours", "one's own name is not taken");
}

#[test]
fn a_template_that_is_not_there_is_not_changed() {
    let (fixture, nobody) = (Fixture::new(), TemplateId::new());
    let error = fixture.store.update_template(nobody, |_, _| Ok::<_, StoreError>(())).unwrap_err();
    assert!(matches!(error, StoreError::TemplateNotFound(id) if id == nobody), "{error:?}");
}

#[test]
fn a_deleted_template_takes_its_startup_files_and_capabilities_with_it() {
    let fixture = Fixture::new();
    let (gone, stays) = (fixture.template("gone"), fixture.template("stays"));
    for id in [gone, stays] {
        fixture.store.insert_startup_file(&startup_file(id, "a.js", 0)).unwrap();
        fixture.store.insert_capability(&capability(id, CapabilityKind::Module, "exec")).unwrap();
    }
    assert!(fixture.store.delete_template(gone).unwrap());
    assert!(!fixture.store.delete_template(gone).unwrap());
    assert!(fixture.store.template(gone).unwrap().is_none());
    assert!(fixture.store.startup_files(gone).unwrap().is_empty());
    let left: i64 = fixture.raw().query_row("SELECT count(*) FROM capabilities", [], |row| row.get(0)).unwrap();
    assert_eq!((fixture.store.startup_files(stays).unwrap().len(), left), (1, 1));
}

#[test]
fn a_damaged_value_is_named() {
    let fixture = Fixture::new();
    let id = fixture.template("t");
    fixture.raw().execute("UPDATE templates SET settings = '{'", []).unwrap();
    let error = fixture.store.template(id).unwrap_err();
    assert!(matches!(&error, StoreError::Damaged { table: "templates", column: "settings", .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.starts_with(&format!("cannot read template {id}: the database is damaged")), "{message}");

    fixture.raw().execute("UPDATE templates SET id = x'00'", []).unwrap();
    let error = fixture.store.templates().unwrap_err();
    assert!(matches!(&error, StoreError::Damaged { table: "templates", column: "id", .. }), "{error:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_survives(texts in prop::collection::vec(any::<String>(), 1..20)) {
        let fixture = Fixture::new();
        for text in texts.iter().map(String::as_str).chain(["", "\0", "a\0b", "🦀'\"\\;--", "\u{feff}%s\r\n"]) {
            let mut template = template(&format!("{}{text}", TemplateId::new()));
            template.engine = text.into();
            template.libraries = vec![text.into()];
            fixture.store.insert_template(&template, &Settings::default()).unwrap();
            let file = startup_file(template.id, text, 0);
            fixture.store.insert_startup_file(&file).unwrap();
            let detail = fixture.store.template(template.id).unwrap().unwrap();
            prop_assert_eq!(&detail.template, &template);
            prop_assert_eq!(&detail.startup_files, &[file]);
        }
    }
}
