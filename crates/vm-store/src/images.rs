//! The operations on images: the memory that sessions are stamped from.

use rusqlite::{Connection, Row, params};
use vm_model::Timestamp;

use crate::{
    Store, StoreError,
    checksum::{checksum, verify},
    error::Failure,
    query::{Record, all, one},
};

/// A use is noted when the last one that was noted is that many microseconds ago: not one write for every session.
const USE_NOTED_EVERY: i64 = 60 * 60 * 1_000_000;

const SELECT: &str = "SELECT n, key, guest, checksum, recipe, content FROM images JOIN image_contents ON image_contents.image = images.n";

/// The number of an image; that of one that was deleted is never another's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ImageId(pub(crate) i64);

/// An image that is to be stored. The store knows nothing of what its bytes mean.
#[derive(Clone, Copy, Debug)]
pub struct NewImage<'a> {
    /// The hash of all that the content comes from.
    pub key: [u8; 32],
    /// The hash of the engine's guest that made it.
    pub guest: [u8; 32],
    /// What is to be known before the content is used.
    pub recipe: &'a [u8],
    /// The memory.
    pub content: &'a [u8],
}

/// An image as it was stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredImage {
    /// Its number.
    pub id: ImageId,
    /// The hash of the engine's guest that made it.
    pub guest: [u8; 32],
    /// What is to be known before the content is used.
    pub recipe: Vec<u8>,
    /// The memory.
    pub content: Vec<u8>,
}

impl Store {
    /// Stores a new image; there may be others of the same key. It stays as long as a session uses it, and then until
    /// [`Store::gc`] finds enough newer ones.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn insert_image(&self, image: &NewImage<'_>) -> Result<ImageId, StoreError> {
        let NewImage { key, guest, recipe, content } = image;
        let bytes = recipe.len() + content.len();
        let checksum = checksum(&[key, guest, recipe, content]);
        self.write("store an image", |db| {
            db.prepare_cached("INSERT INTO images (key, guest, bytes, checksum, used_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![key, guest, bytes, checksum, Timestamp::now().as_micros()])?;
            let n = db.last_insert_rowid();
            db.prepare_cached("INSERT INTO image_contents (image, recipe, content) VALUES (?1, ?2, ?3)")?
                .execute(params![n, recipe, content])?;
            Ok(ImageId(n))
        })
    }

    /// The numbers of the images of a key, newest first.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn images(&self, key: &[u8; 32]) -> Result<Vec<ImageId>, StoreError> {
        self.read_apart("list the images of a template", |db| {
            all(db, "SELECT n FROM images WHERE key = ?1 ORDER BY n DESC", [key], |row| Ok(ImageId(row.get("n")?)))
        })
    }

    /// An image. `None`: there is none of this number.
    ///
    /// # Errors
    /// [`Damaged`](StoreError::Damaged) if it is not what was stored.
    pub fn image(&self, id: ImageId) -> Result<Option<StoredImage>, StoreError> {
        self.read_apart(format_args!("read image {}", id.0), |db| {
            one(db, &format!("{SELECT} WHERE n = ?1"), [id.0], image)
        })
    }
}

/// Notes that a session is made from the image.
pub(crate) fn note_use(db: &Connection, id: ImageId) -> Result<(), Failure> {
    db.prepare_cached("UPDATE images SET used_at = ?2 WHERE n = ?1 AND used_at < ?2 - ?3")?.execute(params![
        id.0,
        Timestamp::now().as_micros(),
        USE_NOTED_EVERY
    ])?;
    Ok(())
}

fn image(row: &Row<'_>) -> Result<StoredImage, Failure> {
    let contents = Record { table: "image_contents", row };
    let row = Record { table: "images", row };
    let (key, guest): ([u8; 32], [u8; 32]) = (row.get("key")?, row.get("guest")?);
    let (recipe, content): (Vec<u8>, Vec<u8>) = (contents.get("recipe")?, contents.get("content")?);
    verify(row.get("checksum")?, &[&key, &guest, &recipe, &content], "image_contents", "content")?;
    Ok(StoredImage { id: ImageId(row.get("n")?), guest, recipe, content })
}
