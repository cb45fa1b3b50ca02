use vm_model::{CapabilityId, CapabilityKind, TemplateId};
use vm_store::StoreError;

use crate::support::{Fixture, capability};

#[test]
fn capabilities_come_back_as_they_were_stored_in_the_order_of_their_making() {
    let fixture = Fixture::new();
    let (ours, other) = (fixture.template("ours"), fixture.template("other"));
    let ours_in_order = [(CapabilityKind::Net, "b"), (CapabilityKind::Global, "b"), (CapabilityKind::Net, "a\0")].map(
        |(kind, name)| {
            let capability = capability(ours, kind, name);
            fixture.store.insert_capability(&capability).unwrap();
            capability
        },
    );
    fixture.store.insert_capability(&capability(other, CapabilityKind::Net, "b")).unwrap();
    assert_eq!(fixture.store.template(ours).unwrap().unwrap().capabilities, ours_in_order);
}

#[test]
fn a_capability_needs_a_template_and_a_name_of_its_own() {
    let fixture = Fixture::new();
    let nobody = TemplateId::new();
    let error = fixture.store.insert_capability(&capability(nobody, CapabilityKind::Fs, "a")).unwrap_err();
    assert!(matches!(error, StoreError::TemplateNotFound(id) if id == nobody), "{error:?}");

    let id = fixture.template("t");
    fixture.store.insert_capability(&capability(id, CapabilityKind::Fs, "a")).unwrap();
    let error = fixture.store.insert_capability(&capability(id, CapabilityKind::Fs, "a")).unwrap_err();
    let expected = |e: &_| matches!(e, StoreError::AlreadyExists(taken) if taken.template_id == Some(id) && taken.what.contains("fs:a"));
    assert!(expected(&error), "{error:?}");
    assert_eq!(fixture.store.template(id).unwrap().unwrap().capabilities.len(), 1);
}

#[test]
fn a_capability_is_deleted_by_its_own_template_only() {
    let fixture = Fixture::new();
    let (ours, other) = (fixture.template("ours"), fixture.template("other"));
    let capability = capability(ours, CapabilityKind::Env, "a");
    fixture.store.insert_capability(&capability).unwrap();
    assert!(!fixture.store.delete_capability(other, capability.id).unwrap());
    assert!(!fixture.store.delete_capability(ours, CapabilityId::new()).unwrap());
    assert!(fixture.store.delete_capability(ours, capability.id).unwrap());
    assert!(!fixture.store.delete_capability(ours, capability.id).unwrap());
    assert!(fixture.store.template(ours).unwrap().unwrap().capabilities.is_empty());
}
