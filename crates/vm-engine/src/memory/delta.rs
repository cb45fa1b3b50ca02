//! What two states of a memory differ in, as bytes to be stored.
//!
//! It leads from either state to the other, and applying it twice changes nothing.
//!
//! A version byte, the CRC-32 of it and of what follows, and blocks: each its length, its unpacked length (4 bytes), and LZ4.
//! Unpacked and one behind the other they hold, all numbers little-endian: the two sizes XORed (8 bytes), then for each page
//! how many pages were left out before it (4 bytes), and its [difference](super::difference). No page is in two blocks.
//!
//! Until version 2 there were runs instead: until its 512 words were told, a page had how many are equal (2 bytes), how many
//! are not (2 bytes), and these, XORed. And the version byte was not in the checksum.

use std::sync::Arc;

use super::{PAGE, difference::Difference};

const VERSION: u8 = 3;
/// What was stored before there were bits for the words that differ.
const RUNS: u8 = 2;
/// What was stored before there were several blocks: one, whose length is not told.
const ONE_BLOCK: u8 = 1;
/// A block ends with the first page that makes it so long: short enough to be unpacked in a processor's cache.
const BLOCK: usize = 32 << 10;
const WORD: usize = 8;
const WORDS: usize = PAGE / WORD;
/// An LZ4 block is at least a 255th of what it unpacks to.
const MAX_RATIO: usize = 255;

/// A delta in the making.
#[derive(Clone, Debug)]
pub(crate) struct Delta {
    blocks: Vec<u8>,
    /// The last block, not packed yet.
    last: Vec<u8>,
    next_page: usize,
}

/// The bytes are no delta, or not one between states of this memory.
#[derive(PartialEq, Eq, Debug, thiserror::Error)]
#[error("the stored change of a memory is damaged: {0}")]
pub(crate) struct Damaged(pub &'static str);

const CUT_OFF: Damaged = Damaged("it is cut off");

impl Delta {
    /// Between states of these sizes in bytes.
    pub fn between(before: usize, after: usize) -> Self {
        Self { blocks: Vec::new(), last: ((before ^ after) as u64).to_le_bytes().to_vec(), next_page: 0 }
    }

    /// Adds a page; in the order of their indexes.
    pub fn page(&mut self, index: usize, before: &[u8; PAGE], after: &[u8; PAGE]) {
        self.last.extend(((index - self.next_page) as u32).to_le_bytes());
        self.next_page = index + 1;
        Difference::push(before, after, &mut self.last);
        if self.last.len() >= BLOCK {
            pack(&mut self.blocks, &self.last);
            self.last.clear();
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut blocks = self.blocks.clone();
        pack(&mut blocks, &self.last);
        [&[VERSION][..], &checksum(VERSION, &blocks).to_le_bytes(), &blocks].concat()
    }
}

fn pack(blocks: &mut Vec<u8>, block: &[u8]) {
    if !block.is_empty() {
        let packed = lz4_flex::block::compress_prepend_size(block);
        blocks.extend((packed.len() as u32).to_le_bytes());
        blocks.extend(packed);
    }
}

/// Reads an encoded delta, page by page.
pub(crate) struct Reader<'a> {
    version: u8,
    blocks: &'a [u8],
    /// Unpacked.
    block: Arc<Vec<u8>>,
    at: usize,
    next_page: usize,
    sizes: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<Self, Damaged> {
        let mut blocks = bytes;
        let [version] = take(&mut blocks)?;
        if ![VERSION, RUNS, ONE_BLOCK].contains(&version) {
            return Err(Damaged("its version is not known"));
        }
        let sum = u32::from_le_bytes(take(&mut blocks)?);
        if checksum(version, blocks) != sum {
            return Err(Damaged("its checksum is wrong"));
        }
        let mut reader = Self { version, blocks, block: Arc::default(), at: 0, next_page: 0, sizes: 0 };
        reader.unpack()?;
        let sizes = u64::from_le_bytes(reader.take()?);
        reader.sizes = usize::try_from(sizes).map_err(|_| Damaged("it names an impossible size"))?;
        Ok(reader)
    }

    /// Goes on to the next block.
    fn unpack(&mut self) -> Result<(), Damaged> {
        let length = if self.version == ONE_BLOCK { self.blocks.len() } else { number(&mut self.blocks)? as usize };
        let mut block = cut(&mut self.blocks, length)?;
        let size = number(&mut block)? as usize;
        if size > block.len() * MAX_RATIO {
            return Err(Damaged("it names an impossible length"));
        }
        let unpacked = lz4_flex::block::decompress(block, size).ok().filter(|unpacked| unpacked.len() == size);
        (self.block, self.at) = (Arc::new(unpacked.ok_or(Damaged("it cannot be unpacked"))?), 0);
        Ok(())
    }

    /// The size of the one state, given that of the other.
    pub fn size(&self, other: usize) -> usize {
        other ^ self.sizes
    }

    /// The next page, and what it differs in.
    pub(super) fn next_page(&mut self) -> Result<Option<(usize, Difference)>, Damaged> {
        while self.at == self.block.len() {
            if self.blocks.is_empty() {
                return Ok(None);
            }
            self.unpack()?;
        }
        let index = self.next_page + u32::from_le_bytes(self.take()?) as usize;
        self.next_page = index + 1;
        let difference = if self.version < VERSION { self.runs()? } else { self.difference()? };
        Ok(Some((index, difference)))
    }

    fn difference(&mut self) -> Result<Difference, Damaged> {
        let difference = Difference::at(&self.block, self.at).ok_or(CUT_OFF)?;
        self.at += difference.len();
        Ok(difference)
    }

    fn runs(&mut self) -> Result<Difference, Damaged> {
        let mut page = [0; PAGE];
        let mut at = 0;
        while at < WORDS {
            let from = at + usize::from(u16::from_le_bytes(self.take()?));
            let to = from + usize::from(u16::from_le_bytes(self.take()?));
            if to == at {
                return Err(Damaged("it leaves a page unfinished"));
            }
            let run = page.get_mut(from * WORD..to * WORD).ok_or(Damaged("it reaches beyond a page"))?;
            run.copy_from_slice(cut(&mut &self.block[self.at..], run.len())?);
            self.at += run.len();
            at = to;
        }
        Ok(Difference::between(&[0; PAGE], &page))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let taken = take(&mut &self.block[self.at..])?;
        self.at += N;
        Ok(taken)
    }
}

fn checksum(version: u8, blocks: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    if version == VERSION {
        hasher.update(&[version]);
    }
    hasher.update(blocks);
    hasher.finalize()
}

fn number(rest: &mut &[u8]) -> Result<u32, Damaged> {
    take(rest).map(u32::from_le_bytes)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Damaged> {
    let (first, others) = rest.split_first_chunk().ok_or(CUT_OFF)?;
    *rest = others;
    Ok(*first)
}

fn cut<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Damaged> {
    let (first, others) = rest.split_at_checked(length).ok_or(CUT_OFF)?;
    *rest = others;
    Ok(first)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Pages = BTreeMap<usize, Box<[u8; PAGE]>>;

    fn apply(bytes: &[u8], pages: &mut Pages) -> Result<(), Damaged> {
        let mut reader = Reader::new(bytes)?;
        while let Some((index, difference)) = reader.next_page()? {
            difference.toggle(pages.entry(index).or_insert_with(|| Box::new([0; PAGE])));
        }
        Ok(())
    }

    fn delta(before: &Pages, after: &Pages) -> Vec<u8> {
        let mut delta = Delta::between(3 << 16, 5 << 16);
        for (index, page) in after {
            delta.page(*index, &before[index], page);
        }
        delta.encode()
    }

    /// Pages of two states: where, and which bytes are set to what in the later one.
    fn states() -> impl Strategy<Value = (Pages, Pages)> {
        let edits = prop::collection::vec((0..PAGE, any::<u8>()), 0..40);
        prop::collection::btree_map(0_usize..300, (any::<u8>(), edits), 0..12).prop_map(|pages| {
            let before: Pages = pages.iter().map(|(index, (fill, _))| (*index, Box::new([*fill; PAGE]))).collect();
            let mut after = before.clone();
            for (index, (_, edits)) in &pages {
                for (at, byte) in edits {
                    after.get_mut(index).unwrap()[*at] = *byte;
                }
            }
            (before, after)
        })
    }

    #[test]
    fn what_earlier_versions_stored_is_read() {
        let body =
            [&(3_u64 << 16 ^ 5 << 16).to_le_bytes()[..], &[7, 0, 0, 0], &[1, 0, 255, 1], &[9; 511 * WORD]].concat();
        let block = lz4_flex::block::compress_prepend_size(&body);
        let length = (block.len() as u32).to_le_bytes();
        for (version, blocks) in [(ONE_BLOCK, block.clone()), (RUNS, [&length[..], &block].concat())] {
            let bytes = [&[version][..], &checksum(version, &blocks).to_le_bytes(), &blocks].concat();
            let mut pages = Pages::new();
            apply(&bytes, &mut pages).unwrap();
            let found: Vec<_> = pages.into_iter().map(|(index, page)| (index, page[7], page[8], page[4095])).collect();
            assert_eq!(found, [(7, 0, 9, 9)], "version {version}");
        }
    }

    #[test]
    fn one_is_not_taken_for_one_of_another_version() {
        let (before, after) = ([(3, Box::new([1; PAGE]))].into(), [(3, Box::new([2; PAGE]))].into());
        let bytes = delta(&before, &after);
        for version in (0..=u8::MAX).filter(|version| *version != VERSION) {
            assert!(Reader::new(&[&[version], &bytes[1..]].concat()).is_err(), "version {version}");
        }
    }

    #[test]
    fn many_pages_are_many_blocks() {
        let before: Pages = (0..100).map(|index| (3 * index, Box::new([1; PAGE]))).collect();
        let after: Pages = (0..100).map(|index| (3 * index, Box::new([index as u8; PAGE]))).collect();
        let mut pages = before.clone();
        apply(&delta(&before, &after), &mut pages).unwrap();
        assert_eq!(pages, after);
    }

    proptest! {
        #[test]
        fn a_delta_leads_from_either_state_to_the_other((before, after) in states()) {
            let bytes = delta(&before, &after);
            let mut pages = before.clone();
            apply(&bytes, &mut pages).unwrap();
            prop_assert_eq!(&pages, &after);
            apply(&bytes, &mut pages).unwrap();
            prop_assert_eq!(&pages, &before);
            prop_assert_eq!(Reader::new(&bytes).unwrap().size(3 << 16), 5 << 16);
        }

        #[test]
        fn every_damage_is_noticed((before, after) in states(), at: prop::sample::Index, flip in 1_u8.., cut: bool) {
            let mut bytes = delta(&before, &after);
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] ^= flip }
            prop_assert!(Reader::new(&bytes).is_err());
        }

        #[test]
        fn nonsense_with_a_right_checksum_does_no_harm(
            body in prop::collection::vec(any::<u8>(), 0..200),
            version in prop::sample::select(&[ONE_BLOCK, RUNS, VERSION][..]),
        ) {
            let mut blocks = Vec::new();
            pack(&mut blocks, &body);
            let blocks = if version == ONE_BLOCK { blocks.get(4..).unwrap_or_default() } else { &blocks };
            // any outcome will do, but a panic
            let _ = apply(&[&[version][..], &checksum(version, blocks).to_le_bytes(), blocks].concat(), &mut Pages::new());
        }
    }
}
