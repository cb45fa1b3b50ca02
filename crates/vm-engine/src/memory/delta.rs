//! What two states of a memory differ in, as bytes to be stored.
//!
//! Words are XORed, so a delta leads from either state to the other, and applying it twice changes nothing.
//!
//! A version byte, the CRC-32 of what follows, the unpacked length, and an LZ4 block; unpacked, all numbers little-endian:
//! the two sizes XORed (8 bytes), then for each page how many pages were left out before it (4 bytes), and until its 512
//! words of 8 bytes are told how many are equal (2 bytes), how many are not (2 bytes), and these.

use super::PAGE;

const VERSION: u8 = 1;
const WORD: usize = 8;
const WORDS: usize = PAGE / WORD;
/// An LZ4 block is at least a 255th of what it unpacks to.
const MAX_RATIO: usize = 255;

/// A delta in the making.
#[derive(Clone, Debug)]
pub(crate) struct Delta {
    body: Vec<u8>,
    next_page: usize,
}

/// The bytes are no delta, or not one between states of this memory.
#[derive(PartialEq, Eq, Debug, thiserror::Error)]
#[error("the stored change of a memory is damaged: {0}")]
pub(crate) struct Damaged(pub &'static str);

impl Delta {
    /// Between states of these sizes in bytes.
    pub fn between(before: usize, after: usize) -> Self {
        Self { body: ((before ^ after) as u64).to_le_bytes().to_vec(), next_page: 0 }
    }

    /// Adds a page; in the order of their indexes.
    pub fn page(&mut self, index: usize, before: &[u8], after: &[u8; PAGE]) {
        self.body.extend(((index - self.next_page) as u32).to_le_bytes());
        self.next_page = index + 1;
        let (before, _) = before.as_chunks::<WORD>();
        let (after, _) = after.as_chunks::<WORD>();
        let mut at = 0;
        while at < WORDS {
            let equal = before[at..].iter().zip(&after[at..]).take_while(|(one, other)| one == other).count();
            let from = at + equal;
            let other = before[from..].iter().zip(&after[from..]).take_while(|(one, other)| one != other).count();
            self.body.extend((equal as u16).to_le_bytes());
            self.body.extend((other as u16).to_le_bytes());
            at = from + other;
            for (before, after) in before[from..at].iter().zip(&after[from..at]) {
                self.body.extend((u64::from_le_bytes(*before) ^ u64::from_le_bytes(*after)).to_le_bytes());
            }
        }
    }

    /// Reads it as if it had been stored.
    pub fn reader(self) -> Result<Reader, Damaged> {
        Reader::of(self.body)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut rest = (self.body.len() as u32).to_le_bytes().to_vec();
        rest.extend(lz4_flex::block::compress(&self.body));
        [&[VERSION][..], &crc32fast::hash(&rest).to_le_bytes(), &rest].concat()
    }
}

/// Reads a delta that was stored, page by page.
pub(crate) struct Reader {
    body: Vec<u8>,
    at: usize,
    next_page: usize,
    sizes: usize,
}

impl Reader {
    pub fn new(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut rest = bytes;
        if take::<1>(&mut rest)? != [VERSION] {
            return Err(Damaged("its version is not known"));
        }
        let sum = u32::from_le_bytes(take(&mut rest)?);
        if crc32fast::hash(rest) != sum {
            return Err(Damaged("its checksum is wrong"));
        }
        let size = u32::from_le_bytes(take(&mut rest)?) as usize;
        if size > rest.len() * MAX_RATIO {
            return Err(Damaged("it names an impossible length"));
        }
        let body = lz4_flex::block::decompress(rest, size).map_err(|_| Damaged("it cannot be unpacked"))?;
        Self::of(body)
    }

    fn of(body: Vec<u8>) -> Result<Self, Damaged> {
        let mut reader = Self { body, at: 0, next_page: 0, sizes: 0 };
        reader.sizes =
            usize::try_from(u64::from_le_bytes(reader.take()?)).map_err(|_| Damaged("it names an impossible size"))?;
        Ok(reader)
    }

    /// The size of the one state, given that of the other.
    pub fn size(&self, other: usize) -> usize {
        other ^ self.sizes
    }

    /// Which page the next [`Reader::apply`] is for.
    pub fn next_page(&mut self) -> Result<Option<usize>, Damaged> {
        if self.at == self.body.len() {
            return Ok(None);
        }
        let index = self.next_page + u32::from_le_bytes(self.take()?) as usize;
        self.next_page = index + 1;
        Ok(Some(index))
    }

    /// Brings the page from the one state to the other.
    pub fn apply(&mut self, page: &mut [u8; PAGE]) -> Result<(), Damaged> {
        let (words, _) = page.as_chunks_mut::<WORD>();
        let mut at = 0;
        while at < WORDS {
            let from = at + usize::from(u16::from_le_bytes(self.take()?));
            let to = from + usize::from(u16::from_le_bytes(self.take()?));
            if to == at {
                return Err(Damaged("it leaves a page unfinished"));
            }
            for word in words.get_mut(from..to).ok_or(Damaged("it reaches beyond a page"))? {
                *word = (u64::from_le_bytes(*word) ^ u64::from_le_bytes(self.take()?)).to_le_bytes();
            }
            at = to;
        }
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let taken = take(&mut &self.body[self.at..])?;
        self.at += N;
        Ok(taken)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Damaged> {
    let (first, others) = rest.split_first_chunk().ok_or(Damaged("it is cut off"))?;
    *rest = others;
    Ok(*first)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Pages = BTreeMap<usize, Box<[u8; PAGE]>>;

    fn apply(bytes: &[u8], pages: &mut Pages) -> Result<(), Damaged> {
        let mut reader = Reader::new(bytes)?;
        while let Some(index) = reader.next_page()? {
            reader.apply(pages.entry(index).or_insert_with(|| Box::new([0; PAGE])))?;
        }
        Ok(())
    }

    fn delta(before: &Pages, after: &Pages) -> Vec<u8> {
        let mut delta = Delta::between(3 << 16, 5 << 16);
        for (index, page) in after {
            delta.page(*index, &before[index][..], page);
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
        fn nonsense_with_a_right_checksum_does_no_harm(body in prop::collection::vec(any::<u8>(), 0..200)) {
            // any outcome will do, but a panic
            let _ = apply(&Delta { body, next_page: 0 }.encode(), &mut Pages::new());
        }
    }
}
