//! What two pages differ in.
//!
//! Words are XORed, so a difference leads from either page to the other. As bytes: a bit for each eighth of the page that
//! differs (1 byte), and for each of these eighths a bit for each of its 64 words that differs (8 bytes), and these words, of
//! 8 bytes, little-endian.

use std::{ops::Range, sync::Arc};

use super::PAGE;

const WORD: usize = 8;
/// So many words share a mask, which has a bit for each.
const GROUP: usize = u64::BITS as usize;

type Word = [u8; WORD];
type Group = [Word; GROUP];

/// One, as a part of the bytes that it was read with: many are kept, and to copy each would take as long as to unpack it.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    bytes: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Difference {
    pub fn between(one: &[u8; PAGE], other: &[u8; PAGE]) -> Self {
        let mut bytes = Vec::new();
        Self::push(one, other, &mut bytes);
        Self { range: 0..bytes.len(), bytes: Arc::new(bytes) }
    }

    /// Adds the one between these pages to `bytes`.
    pub fn push(one: &[u8; PAGE], other: &[u8; PAGE], bytes: &mut Vec<u8>) {
        let groups_at = bytes.len();
        bytes.push(0);
        for (group, (one, other)) in groups(one).iter().zip(groups(other)).enumerate() {
            // as a whole first: that is quick, and most are equal
            if one == other {
                continue;
            }
            let mut mask = (0..)
                .zip(one.iter().zip(other))
                .fold(0, |mask, (bit, (one, other))| mask | u64::from(one != other) << bit);
            bytes[groups_at] |= 1 << group;
            bytes.extend(mask.to_le_bytes());
            while mask != 0 {
                let word = mask.trailing_zeros() as usize;
                bytes.extend(xor(one[word], other[word]));
                mask &= mask - 1;
            }
        }
    }

    /// The one that begins at this place. `None`: it is cut off.
    pub fn at(bytes: &Arc<Vec<u8>>, start: usize) -> Option<Self> {
        let mut rest = bytes.get(start..)?;
        let groups = *rest.split_off_first()?;
        for _ in 0..groups.count_ones() {
            let mask = u64::from_le_bytes(*rest.split_off(..WORD)?.first_chunk()?);
            rest.split_off(..mask.count_ones() as usize * WORD)?;
        }
        Some(Self { bytes: bytes.clone(), range: start..bytes.len() - rest.len() })
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Makes the one page the other.
    pub fn toggle(&self, page: &mut [u8; PAGE]) {
        let mut steps = self.steps();
        for (group, words) in groups_mut(page).iter_mut().enumerate() {
            if steps.has(group) {
                steps.toggle(words);
            }
        }
    }

    /// Whether it leads from the one page to the other.
    pub fn leads(&self, from: &[u8; PAGE], to: &[u8; PAGE]) -> bool {
        let mut steps = self.steps();
        groups(from).iter().zip(groups(to)).enumerate().all(|(group, (from, to))| {
            if !steps.has(group) {
                return from == to;
            }
            let mut words = *from;
            steps.toggle(&mut words);
            words == *to
        })
    }

    fn steps(&self) -> Steps<'_> {
        match self.bytes.get(self.range.clone()) {
            Some([groups, masks @ ..]) => Steps { groups: *groups, masks: masks.as_chunks().0 },
            _ => Steps { groups: 0, masks: &[] },
        }
    }
}

/// Goes through a difference, group by group.
struct Steps<'a> {
    groups: u8,
    /// And words: each mask's own follow it.
    masks: &'a [Word],
}

impl Steps<'_> {
    fn has(&self, group: usize) -> bool {
        self.groups & 1 << group != 0
    }

    /// The next group that differs.
    fn toggle(&mut self, words: &mut Group) {
        let Some((mask, rest)) = self.masks.split_first() else { return };
        let mut mask = u64::from_le_bytes(*mask);
        let (others, rest) = rest.split_at_checked(mask.count_ones() as usize).unwrap_or_default();
        for other in others {
            let word = &mut words[mask.trailing_zeros() as usize % GROUP];
            *word = xor(*word, *other);
            mask &= mask.wrapping_sub(1);
        }
        self.masks = rest;
    }
}

fn groups(page: &[u8; PAGE]) -> &[Group] {
    page.as_chunks().0.as_chunks().0
}

fn groups_mut(page: &mut [u8; PAGE]) -> &mut [Group] {
    page.as_chunks_mut().0.as_chunks_mut().0
}

fn xor(one: Word, other: Word) -> Word {
    (u64::from_ne_bytes(one) ^ u64::from_ne_bytes(other)).to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page() -> impl Strategy<Value = Box<[u8; PAGE]>> {
        (any::<u8>(), prop::collection::vec((0..PAGE, any::<u8>()), 0..40)).prop_map(|(fill, edits)| {
            let mut page = Box::new([fill; PAGE]);
            edits.into_iter().for_each(|(at, byte)| page[at] = byte);
            page
        })
    }

    proptest! {
        #[test]
        fn a_difference_leads_from_either_page_to_the_other_and_to_none_else(one in page(), other in page(), third in page()) {
            let mut bytes = vec![7; 3];
            Difference::push(&one, &other, &mut bytes);
            let length = bytes.len() - 3;
            bytes.push(7);
            let difference = Difference::at(&Arc::new(bytes), 3).unwrap();
            prop_assert_eq!(difference.len(), length);
            prop_assert!(difference.leads(&one, &other) && difference.leads(&other, &one));
            prop_assert_eq!(difference.leads(&one, &third), other == third);
            let mut page = one.clone();
            difference.toggle(&mut page);
            prop_assert_eq!(&page, &other);
            difference.toggle(&mut page);
            prop_assert_eq!(&page, &one);
        }

        #[test]
        fn one_that_is_cut_off_is_none(one in page(), other in page(), at: prop::sample::Index) {
            let mut bytes = Vec::new();
            Difference::push(&one, &other, &mut bytes);
            bytes.truncate(at.index(bytes.len()));
            prop_assert!(Difference::at(&Arc::new(bytes), 0).is_none());
        }
    }
}
