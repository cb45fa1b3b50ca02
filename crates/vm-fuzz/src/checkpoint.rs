//! Stored changes of a session's memory: whatever they hold, they are refused or lead to a memory that leads back.

use std::sync::LazyLock;

use vm_engine::{Engine, Origin, QuickJs, Setup};
use vm_model::Limits;

static ENGINE: LazyLock<QuickJs> = LazyLock::new(|| QuickJs::new(tempfile::tempdir().unwrap().path()).unwrap());

/// Restores a memory.
///
/// # Panics
/// What came of it is wrong.
pub fn check(data: &[u8]) {
    // as it is, which no checksum goes with, and as the content of a change whose checksum is right
    let _ = states(&[data.to_vec()]);
    let change = sealed(data);
    if states(std::slice::from_ref(&change)).is_some() {
        assert_eq!(states(&[change.clone(), change]), Some(None), "twice the same change leads back");
    }
}

/// The state that an instance has with these changes; `None`: they are refused.
fn states(changes: &[Vec<u8>]) -> Option<Option<Vec<u8>>> {
    let limits = Limits { mem_mb: 16, ..Limits::default() };
    let origin = Origin { image: None, changes };
    let instance = ENGINE.create(origin, &Setup::plain(&limits), Box::new(|_, _, _| Err(vec![0x80]))).ok()?;
    Some(instance.state())
}

/// A version, the checksum of what follows, the length, and the content.
fn sealed(content: &[u8]) -> Vec<u8> {
    let mut rest = (content.len() as u32).to_le_bytes().to_vec();
    rest.extend(lz4_flex::block::compress(content));
    [&[1][..], &crc32fast::hash(&rest).to_le_bytes(), &rest].concat()
}
