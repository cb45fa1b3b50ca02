//! Stored changes of a session's memory: whatever they hold, they are refused or lead to a memory that leads back.

use std::sync::LazyLock;

use vm_engine::{Engine, Origin, QuickJs, Setup};
use vm_model::Limits;

/// Short, so that a small content has several blocks.
const BLOCK: usize = 4 << 10;

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

/// A version, the checksum of what follows, and the content in blocks with their lengths.
fn sealed(content: &[u8]) -> Vec<u8> {
    let pack = |block: &[u8]| {
        let block = lz4_flex::block::compress_prepend_size(block);
        [&(block.len() as u32).to_le_bytes()[..], &block].concat()
    };
    let blocks: Vec<u8> = content.chunks(BLOCK).flat_map(pack).collect();
    [&[2][..], &crc32fast::hash(&blocks).to_le_bytes(), &blocks].concat()
}
