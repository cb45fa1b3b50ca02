//! Stored changes of a session's memory: whatever they hold, they are refused or lead to a memory that leads back.

use std::sync::LazyLock;

use vm_engine::{Engine, Origin, QuickJs, Setup};
use vm_model::Limits;

/// Short, so that a small content has several blocks.
const BLOCK: usize = 4 << 10;
/// Versions of what is stored: the words that differ in runs, or behind masks.
const RUNS: u8 = 2;
const MASKS: u8 = 3;

static ENGINE: LazyLock<QuickJs> = LazyLock::new(|| QuickJs::new(tempfile::tempdir().unwrap().path()).unwrap());

/// Restores a memory.
///
/// # Panics
/// What came of it is wrong.
pub fn check(data: &[u8]) {
    // as it is, which no checksum goes with, and as the content of a change whose checksum is right
    let _ = states(&[data.to_vec()]);
    for version in [RUNS, MASKS] {
        let change = sealed(version, data);
        if states(std::slice::from_ref(&change)).is_some() {
            assert_eq!(states(&[change.clone(), change]), Some(None), "twice the same change leads back");
        }
    }
}

/// The state that an instance has with these changes; `None`: they are refused.
fn states(changes: &[Vec<u8>]) -> Option<Option<Vec<u8>>> {
    let limits = Limits { mem_mb: 16, ..Limits::default() };
    let origin = Origin { image: None, changes };
    let instance = ENGINE.create(origin, &Setup::plain(&limits), Box::new(|_, _, _| Err(vec![0x80]))).ok()?;
    Some(instance.state())
}

/// A version, the checksum of what follows (and from the third one on of the version), and the content in blocks with their
/// lengths.
fn sealed(version: u8, content: &[u8]) -> Vec<u8> {
    let pack = |block: &[u8]| {
        let block = lz4_flex::block::compress_prepend_size(block);
        [&(block.len() as u32).to_le_bytes()[..], &block].concat()
    };
    let blocks: Vec<u8> = content.chunks(BLOCK).flat_map(pack).collect();
    let summed = if version < MASKS { blocks.clone() } else { [&[version], &blocks[..]].concat() };
    [&[version][..], &crc32fast::hash(&summed).to_le_bytes(), &blocks].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_content_passes_the_checksum() {
        let masks = include_bytes!("../../../fuzz/corpus/checkpoint/masks");
        assert!(matches!(states(&[sealed(MASKS, masks)]), Some(Some(_))));
        assert_eq!(states(&[sealed(RUNS, &[0; 8])]), Some(None));
    }
}
