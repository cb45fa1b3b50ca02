//! What a memory held at the end of the last execution: the image it was stamped from, and the pages that differ from it.

use std::{collections::BTreeMap, io, sync::Arc};

use super::{Image, Mapping, PAGE, changes, mapping::Denied};

/// A state to go back to.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    image: Arc<Image>,
    size: usize,
    /// By page number. A page that became equal to the image's again may stay here.
    pages: BTreeMap<usize, Box<[u8; PAGE]>>,
}

impl Checkpoint {
    /// The state of a fresh mapping of this image.
    pub fn of(image: &Arc<Image>) -> Self {
        Self { image: image.clone(), size: image.len(), pages: BTreeMap::new() }
    }

    /// Takes over what the mapping holds now.
    pub fn update(&mut self, mapping: &Mapping) -> Result<(), Denied> {
        let candidates = changes::written(mapping);
        mapping.whole(|bytes| {
            for index in candidates.into_iter().flatten() {
                if let Some(now) = bytes.get(index * PAGE..).and_then(|rest| rest.first_chunk()) {
                    self.keep(index, now);
                }
            }
        })?;
        self.size = mapping.size();
        Ok(())
    }

    fn keep(&mut self, index: usize, now: &[u8; PAGE]) {
        match self.pages.get_mut(&index) {
            Some(kept) if **kept != *now => **kept = *now,
            Some(_) => {}
            None if self.image.page(index) != now => {
                self.pages.insert(index, Box::new(*now));
            }
            None => {}
        }
    }

    /// A new mapping with the state kept here.
    pub fn restore(&self) -> io::Result<Mapping> {
        let mapping = Mapping::of(&self.image, self.size)?;
        for (&index, page) in &self.pages {
            mapping.restore_page(index, page).map_err(io::Error::other)?;
        }
        Ok(mapping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(mapping: &Mapping) -> Vec<u8> {
        mapping.whole(<[u8]>::to_vec).unwrap()
    }

    #[test]
    fn restoring_gives_what_was_there_at_the_last_update() {
        let image = Arc::new(Image::new((0..16 * PAGE).map(|i| i as u8).collect()).unwrap());
        let mapping = Mapping::of(&image, 0).unwrap();
        let mut checkpoint = Checkpoint::of(&image);
        assert_eq!(content(&checkpoint.restore().unwrap()), content(&mapping));
        for round in 0..40_u32 {
            mapping.grow((16 + round as usize) * PAGE).unwrap();
            mapping.write(round * 977, &[round as u8; 1500]).unwrap();
            checkpoint.update(&mapping).unwrap();
            let kept = content(&mapping);
            mapping.write(round * 131, &[0xff; 3]).unwrap();
            assert_eq!(content(&checkpoint.restore().unwrap()), kept, "round {round}");
        }
    }

    #[test]
    fn pages_that_did_not_change_are_not_kept() {
        let image = Arc::new(Image::new(vec![3; 64 * PAGE]).unwrap());
        let mapping = Mapping::of(&image, 0).unwrap();
        mapping.write(0, &[3; PAGE]).unwrap();
        mapping.write(5 * PAGE as u32, &[4]).unwrap();
        let mut checkpoint = Checkpoint::of(&image);
        checkpoint.update(&mapping).unwrap();
        assert_eq!(checkpoint.pages.keys().copied().collect::<Vec<_>>(), [5]);
    }
}
