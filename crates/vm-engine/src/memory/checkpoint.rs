//! What a memory held at the end of the last execution: the image it was stamped from, and the pages that differ from it.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io,
    sync::Arc,
};

use super::{
    Image, Mapping, PAGE, Written, changes,
    delta::{Damaged, Delta, Reader},
    kept::Kept,
    mapping::Denied,
};

/// So many pages are rather compared after each execution than protected: that costs a fault at their next write.
const MANY: usize = 256;
/// More than these are rather protected when they are restored, if nobody is likely to write among them.
const MANY_RESTORED: usize = 32;
/// So many pages of its own a mapping may have although it holds there what the image has.
const MOST_IN_VAIN: usize = 16;

/// A state to go back to.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    image: Arc<Image>,
    size: usize,
    /// By page number.
    pages: BTreeMap<usize, Kept>,
}

impl Checkpoint {
    /// The state of a fresh mapping of this image.
    pub fn of(image: &Arc<Image>) -> Self {
        Self { image: image.clone(), size: image.len(), pages: BTreeMap::new() }
    }

    /// The image.
    pub fn base(&self) -> &Arc<Image> {
        &self.image
    }

    /// Takes over what the mapping holds now, and answers the delta from what was kept before. `written`: since the last
    /// update.
    pub fn update(&mut self, mapping: &Mapping, written: &Written) -> Result<Delta, Denied> {
        let mut delta = Delta::between(self.size, mapping.size());
        let mut unchanged = Vec::new();
        mapping.whole(|bytes| {
            for index in written.ranges().iter().cloned().flatten() {
                if let Some(now) = bytes.get(index * PAGE..).and_then(|rest| rest.first_chunk())
                    && !self.keep(index, now, &mut delta)
                {
                    unchanged.push(index);
                }
            }
        })?;
        self.size = mapping.size();
        if unchanged.len() > MANY {
            let runs: Vec<_> = unchanged.chunk_by(|one, next| one + 1 == *next).collect();
            changes::protect(mapping, &runs.iter().map(|run| run[0]..run[0] + run.len()).collect::<Vec<_>>());
        }
        Ok(delta)
    }

    /// Bytes that an [update](Self::update) would find changed, in whole pages. To look takes a tenth of the time.
    pub fn changed_bytes(&self, mapping: &Mapping, written: &Written) -> Result<u64, Denied> {
        mapping.whole(|bytes| {
            let has_changed = |index: &usize| {
                let (now, image) =
                    (bytes.get(index * PAGE..).and_then(|rest| rest.first_chunk()), self.image.page(*index));
                now.is_some_and(|now| !self.pages.get(index).map_or(image == now, |kept| kept.is(now, image)))
            };
            (written.ranges().iter().cloned().flatten().filter(has_changed).count() * PAGE) as u64
        })
    }

    /// Answers whether the page has changed.
    fn keep(&mut self, index: usize, now: &[u8; PAGE], delta: &mut Delta) -> bool {
        let image = self.image.page(index);
        match self.pages.get_mut(&index) {
            Some(kept) if kept.is(now, image) => return false,
            Some(kept) => {
                delta.page(index, &kept.content(image), now);
                if image == now {
                    self.pages.remove(&index);
                } else {
                    kept.set(now);
                }
            }
            None if image == now => return false,
            None => {
                delta.page(index, image, now);
                self.pages.insert(index, Kept::page(now));
            }
        }
        true
    }

    /// The delta from the image to what is kept; nothing if that is the image.
    pub fn whole(&self) -> Option<Delta> {
        if self.pages.is_empty() && self.size == self.image.len() {
            return None;
        }
        let mut delta = Delta::between(self.image.len(), self.size);
        for (&index, kept) in self.pages.range(..self.size / PAGE) {
            let image = self.image.page(index);
            delta.page(index, image, &kept.content(image));
        }
        Some(delta)
    }

    /// Back to the image.
    pub fn forget(&mut self) {
        *self = Self::of(&self.image);
    }

    /// Bytes of memory that it takes itself.
    pub fn kept_bytes(&self) -> u64 {
        self.pages.values().map(Kept::bytes).sum::<usize>() as u64
    }

    /// Bytes that differ from the image, in whole pages.
    pub fn own_bytes(&self) -> u64 {
        (self.pages.len() * PAGE) as u64
    }

    /// Goes from one state to the other that the delta was made of. Of no more use if that fails.
    pub fn apply(&mut self, mut reader: Reader<'_>, max_size: usize) -> Result<(), Damaged> {
        let size = reader.size(self.size);
        let known = size.max(self.size);
        if known > max_size {
            return Err(Damaged("it is of a larger memory"));
        }
        while let Some((index, difference)) = reader.next_page()? {
            if index >= known / PAGE {
                return Err(Damaged("it has a page outside the memory"));
            }
            let image = self.image.page(index);
            match self.pages.entry(index) {
                Entry::Vacant(entry) => drop(entry.insert(Kept::of(difference, image))),
                Entry::Occupied(mut entry) => {
                    entry.get_mut().toggle(&difference, image);
                    if entry.get().is(image, image) {
                        entry.remove();
                    }
                }
            }
        }
        self.size = size;
        Ok(())
    }

    /// A new mapping with the state kept here. `first_written`: the pages that are likely to be written first, in order.
    pub fn restore(&self, first_written: &[usize]) -> io::Result<Mapping> {
        let mapping = Mapping::of(&self.image, 0)?;
        match self.fill(&mapping, &[], first_written) {
            Ok(()) => Ok(mapping),
            Err(_) => self.restore_by_writing(),
        }
    }

    /// Which pages differ from the image, by index and in order.
    pub fn pages(&self) -> impl Iterator<Item = usize> {
        self.pages.range(..self.size / PAGE).map(|(&index, _)| index)
    }

    /// Brings a mapping of the image that nobody has touched into the state kept here. `own`: the pages that are
    /// [its own](Mapping::populate), in order. `first_written`: as in [`Self::restore`]. Refused where it has too many pages of
    /// its own, or is too large. Of no more use if that fails.
    pub fn fill(&self, mapping: &Mapping, own: &[usize], first_written: &[usize]) -> io::Result<()> {
        let is_own = |index: &usize| own.binary_search(index).is_ok();
        let is_used = |index: &&usize| self.pages.contains_key(index) || first_written.binary_search(index).is_ok();
        let in_vain = own.len() - own.iter().filter(is_used).count();
        if mapping.size() > self.size || in_vain > MOST_IN_VAIN {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        mapping.grow(self.size).map_err(io::Error::other)?;
        for (&index, kept) in self.pages.range(..self.size / PAGE).filter(|(index, _)| is_own(index)) {
            mapping.page(index, |page| kept.bring(page)).map_err(io::Error::other)?;
        }
        // The image's pages and those behind them are two mappings to the kernel.
        let (of_image, all) = (self.image.len() / PAGE, self.size / PAGE);
        for part in [0..of_image.min(all), of_image..all.max(of_image)] {
            let missing = self.pages.range(part.clone()).filter(|(index, _)| !is_own(index));
            let mut missing = missing.map(|(&index, kept)| (index, kept.content(self.image.page(index)))).peekable();
            if missing.peek().is_some() {
                mapping.fill(part, missing)?;
            }
        }
        self.protect(mapping, first_written);
        Ok(())
    }

    /// The same where the kernel fills nothing: it makes each page when that is written.
    fn restore_by_writing(&self) -> io::Result<Mapping> {
        let mapping = Mapping::of(&self.image, self.size)?;
        for (&index, kept) in self.pages.range(..self.size / PAGE) {
            mapping.page(index, |page| kept.bring(page)).map_err(io::Error::other)?;
        }
        Ok(mapping)
    }

    /// From here on only what is written again is compared, where that is unlikely: most of what a session wakes with is only
    /// read.
    fn protect(&self, mapping: &Mapping, first_written: &[usize]) {
        let (mut start, end, mut calm) = (0, self.size / PAGE, Vec::new());
        for &next in first_written.iter().filter(|page| **page < end).chain([&end]) {
            if self.pages.range(start..next).nth(MANY_RESTORED).is_some() {
                calm.push(start..next);
            }
            start = next + 1;
        }
        if !calm.is_empty() {
            changes::protect(mapping, &calm);
        }
    }

    /// Gives back the pages of the mapping that are as in the image, after an update.
    pub fn trim(&self, mapping: &Mapping) -> Result<(), Denied> {
        for pages in Written::ever(mapping).ranges() {
            let mut start = pages.start;
            for (&kept, _) in self.pages.range(pages.clone()) {
                mapping.give_back(start..kept)?;
                start = kept + 1;
            }
            mapping.give_back(start..pages.end)?;
        }
        Ok(())
    }

    /// What is kept, as an image of its own.
    pub fn image(&self) -> io::Result<Image> {
        let mut bytes = self.image.bytes().to_vec();
        bytes.resize(self.size, 0);
        for (&index, kept) in self.pages.range(..self.size / PAGE) {
            bytes[index * PAGE..(index + 1) * PAGE].copy_from_slice(&kept.content(self.image.page(index))[..]);
        }
        Image::new(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(checkpoint: &mut Checkpoint, mapping: &Mapping) -> Delta {
        checkpoint.update(mapping, &Written::of(mapping)).unwrap()
    }

    fn content(mapping: &Mapping) -> Vec<u8> {
        mapping.whole(<[u8]>::to_vec).unwrap()
    }

    #[test]
    fn restoring_gives_what_was_there_at_the_last_update() {
        let image = Arc::new(Image::new((0..16 * PAGE).map(|i| i as u8).collect()).unwrap());
        let mapping = Mapping::of(&image, 0).unwrap();
        let (mut checkpoint, mut deltas) = (Checkpoint::of(&image), Vec::new());
        assert_eq!(content(&checkpoint.restore(&[]).unwrap()), content(&mapping));
        for round in 0..40_u32 {
            mapping.grow((16 + round as usize) * PAGE).unwrap();
            mapping.write(round * 977, &[round as u8; 1500]).unwrap();
            let before = content(&checkpoint.restore(&[]).unwrap());
            let delta = update(&mut checkpoint, &mapping).encode();
            let kept = content(&mapping);
            mapping.write(round * 131, &[0xff; 3]).unwrap();
            assert_eq!(content(&checkpoint.restore(&[]).unwrap()), kept, "round {round}");
            assert_eq!(content(&checkpoint.restore_by_writing().unwrap()), kept, "round {round}");
            deltas.push(delta);

            // back and forth
            checkpoint.apply(Reader::new(&deltas[round as usize]).unwrap(), usize::MAX).unwrap();
            assert_eq!(content(&checkpoint.restore(&[]).unwrap()), before, "round {round}");
            checkpoint.apply(Reader::new(&deltas[round as usize]).unwrap(), usize::MAX).unwrap();

            // by all deltas, by one, and as an image
            let mut replayed = Checkpoint::of(&image);
            deltas.iter().for_each(|delta| replayed.apply(Reader::new(delta).unwrap(), usize::MAX).unwrap());
            let mut whole = Checkpoint::of(&image);
            whole.apply(Reader::new(&checkpoint.whole().unwrap().encode()).unwrap(), usize::MAX).unwrap();
            for other in [replayed, whole, Checkpoint::of(&Arc::new(checkpoint.image().unwrap()))] {
                assert_eq!(content(&other.restore(&[]).unwrap()), kept, "round {round}");
            }
        }
    }

    #[test]
    fn the_kernel_fills_pages_where_it_watches_them() {
        let image = Arc::new(Image::new(vec![1; 40 * PAGE]).unwrap());
        let mapping = Mapping::of(&image, 80 * PAGE).unwrap();
        mapping.write(3 * PAGE as u32, &[2; 60 * PAGE]).unwrap();
        mapping.write(78 * PAGE as u32, &[3]).unwrap();
        let mut checkpoint = Checkpoint::of(&image);
        update(&mut checkpoint, &mapping);
        let filled = Mapping::of(&image, 80 * PAGE).unwrap();
        let is_filled = checkpoint.fill(&filled, &[], &[]).is_ok();
        assert_eq!(is_filled, mapping.begin_protecting());
        if is_filled {
            assert_eq!(content(&filled), content(&mapping));
        }
    }

    #[test]
    fn what_is_restored_is_compared_only_where_it_may_have_changed() {
        let image = Arc::new(Image::new(vec![1; 200 * PAGE]).unwrap());
        let mapping = Mapping::of(&image, 0).unwrap();
        let mut checkpoint = Checkpoint::of(&image);
        (0..200).for_each(|page| mapping.write((page * PAGE) as u32, &[2]).unwrap());
        let whole = update(&mut checkpoint, &mapping).encode();

        let mut woken = Checkpoint::of(&image);
        woken.apply(Reader::new(&whole).unwrap(), usize::MAX).unwrap();
        let prepared = Mapping::of(&image, 0).unwrap();
        let own: Vec<_> = (0..150).collect();
        prepared.populate(&own).unwrap();
        let restored = match woken.fill(&prepared, &own, &[20, 30, 199]) {
            Ok(()) => prepared,
            Err(_) => woken.restore(&[20, 30, 199]).unwrap(),
        };
        assert_eq!(content(&restored), content(&mapping));
        let found: Vec<_> = Written::of(&restored).ranges().iter().cloned().flatten().collect();
        if restored.has_protected() {
            // between 20 and 30 there are too few to be worth it, and before 20
            assert_eq!(found, (0..=30).chain([199]).collect::<Vec<_>>());
        }
        for page in [5, 25, 30, 100] {
            restored.write((page * PAGE) as u32, &[3]).unwrap();
            let delta = update(&mut woken, &restored).encode();
            assert_eq!(Reader::new(&delta).unwrap().next_page().unwrap().unwrap().0, page);
            assert_eq!(content(&woken.restore(&[]).unwrap()), content(&restored));
        }
    }

    #[test]
    fn a_memory_that_has_too_much_for_its_state_is_refused() {
        let image = Arc::new(Image::new(vec![1; 64 * PAGE]).unwrap());
        let mut checkpoint = Checkpoint::of(&image);
        let mapping = Mapping::of(&image, 0).unwrap();
        mapping.write(5 * PAGE as u32, &[2]).unwrap();
        update(&mut checkpoint, &mapping);
        let filled = |own: Vec<usize>| {
            let mapping = Mapping::of(&image, 0).unwrap();
            mapping.populate(&own).unwrap();
            checkpoint.fill(&mapping, &own, &[]).map(|()| content(&mapping))
        };
        assert_eq!(filled((0..MOST_IN_VAIN).collect()).unwrap(), content(&mapping));
        assert!(filled((0..40).collect()).is_err());
        assert!(filled(vec![64]).is_err(), "it is longer");
    }

    #[test]
    fn a_large_memory_is_followed_as_well() {
        let pages = 3 * MANY;
        let image = Arc::new(Image::new(vec![0; 8 * PAGE]).unwrap());
        let mapping = Mapping::of(&image, pages * PAGE).unwrap();
        let mut checkpoint = Checkpoint::of(&image);
        mapping.write(0, &vec![1; pages * PAGE]).unwrap();
        update(&mut checkpoint, &mapping);
        for round in 0..50_u8 {
            let page = usize::from(round) * 37 % pages;
            mapping.write((page * PAGE) as u32, &[round; 9]).unwrap();
            let delta = update(&mut checkpoint, &mapping).encode();
            assert!(delta.len() < 200, "{} bytes for one page", delta.len());
            assert_eq!(content(&checkpoint.restore(&[]).unwrap()), content(&mapping), "round {round}");
        }
        if mapping.has_protected() {
            assert!(Written::of(&mapping).bytes() < (PAGE * MANY) as u64);
        }
    }

    #[test]
    fn pages_that_did_not_change_are_not_kept() {
        let image = Arc::new(Image::new(vec![3; 64 * PAGE]).unwrap());
        let mapping = Mapping::of(&image, 0).unwrap();
        mapping.write(0, &[3; PAGE]).unwrap();
        mapping.write(5 * PAGE as u32, &[4]).unwrap();
        let mut checkpoint = Checkpoint::of(&image);
        update(&mut checkpoint, &mapping);
        assert_eq!(checkpoint.pages.keys().copied().collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn a_delta_of_a_larger_memory_is_refused() {
        let image = Arc::new(Image::new(vec![0; 4 * PAGE]).unwrap());
        let mapping = Mapping::of(&image, 8 * PAGE).unwrap();
        mapping.write(7 * PAGE as u32, &[1]).unwrap();
        let delta = update(&mut Checkpoint::of(&image), &mapping).encode();
        assert!(Checkpoint::of(&image).apply(Reader::new(&delta).unwrap(), 7 * PAGE).is_err());
        assert!(Checkpoint::of(&image).apply(Reader::new(&delta).unwrap(), 8 * PAGE).is_ok());
    }
}
