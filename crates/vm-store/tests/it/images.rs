use vm_model::{Session, SessionStatus};
use vm_store::{NewImage, StoreError, StoredImage};

use crate::support::{Fixture, GUEST, detail, session};

#[test]
fn an_image_comes_back_as_it_was_stored() {
    let fixture = Fixture::new();
    let (key, other) = ([1; 32], [2; 32]);
    let content: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
    let image = NewImage { key, guest: GUEST, recipe: b"how", content: &content };
    let id = fixture.store.insert_image(&image).unwrap();
    let empty = fixture.store.insert_image(&NewImage { recipe: b"", content: b"", ..image }).unwrap();
    let stored = StoredImage { id, guest: GUEST, recipe: b"how".to_vec(), content };
    assert_eq!(fixture.store.image(id).unwrap(), Some(stored));

    let stored_empty = StoredImage { id: empty, guest: GUEST, recipe: vec![], content: vec![] };
    assert_eq!(fixture.store.image(empty).unwrap(), Some(stored_empty));
    assert_eq!(fixture.store.images(&key).unwrap(), [empty, id]);
    assert!(fixture.store.images(&other).unwrap().is_empty());
    assert_eq!(fixture.store.stored_bytes().unwrap().images, 100_003);
}

#[test]
fn no_session_is_made_from_an_image_that_is_gone() {
    let fixture = Fixture::new();
    let id = fixture.image(b"x");
    fixture.raw().execute("DELETE FROM images", []).unwrap();
    assert_eq!(fixture.store.image(id).unwrap(), None);
    let session = Session { status: SessionStatus::Ready, ..session() };
    let error = fixture.store.insert_session(&session, &detail("t"), &GUEST, Some(id)).unwrap_err();
    assert!(matches!(error, StoreError::ImageNotFound(missing) if missing == id), "{error:?}");
    assert_eq!(fixture.store.session(session.id).unwrap(), None);
    assert_ne!(fixture.image(b"y"), id, "a number is never another image's");
}

#[test]
fn an_image_that_is_used_cannot_be_deleted() {
    let fixture = Fixture::new();
    let id = fixture.image(b"x");
    fixture.ready(Some(id));
    let raw = fixture.raw();
    raw.pragma_update(None, "foreign_keys", true).unwrap();
    let error = raw.execute("DELETE FROM images", []).unwrap_err().to_string();
    assert!(error.contains("FOREIGN KEY"), "{error}");
}

#[test]
fn a_damaged_image_is_named() {
    for damage in [
        "UPDATE image_contents SET content = substr(content, 2)",
        "UPDATE image_contents SET recipe = zeroblob(6)",
        "UPDATE images SET guest = zeroblob(32)",
        "UPDATE images SET guest = zeroblob(31)",
        "UPDATE images SET checksum = 0",
        "UPDATE images SET checksum = -1",
    ] {
        let fixture = Fixture::new();
        let id = fixture.image(b"content");
        fixture.raw().execute(damage, []).unwrap();
        let whole = fixture.image(b"content");
        let error = fixture.store.image(id).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{damage}: {error:?}");
        assert!(fixture.store.image(whole).unwrap().is_some(), "{damage}");
    }
}
