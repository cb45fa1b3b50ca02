//! Machines made ahead, one for each image: to make one is most of what it takes to begin a session.
//!
//! Sessions of one image mostly differ from it in the same pages, and write to the same pages first. So a machine for one
//! that wakes gets pages of its own where the last two that woke both had some: to write them takes a fifth of what the
//! kernel takes to make them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::machine::Machine;
use crate::memory::{Image, PAGE, Written};

/// As many pages of its own a machine gets ahead, at most: a MiB.
const MOST: usize = 256;

#[derive(Default)]
pub(super) struct Spares(Mutex<Vec<OfImage>>);

struct OfImage {
    image: Weak<Image>,
    ready: Option<Spare>,
    /// Where sessions had pages of their own when they woke.
    own: Usual,
    /// Where their first program wrote.
    written: Usual,
}

/// A machine in which nobody has run anything.
pub(super) struct Spare {
    pub machine: Machine,
    /// The pages, by index and in order, that are its own already and hold what the image has there.
    pub own: Vec<usize>,
}

/// What the last session had, and what the one before had, too: by page index, in order.
#[derive(Default)]
struct Usual {
    last: Vec<usize>,
    both: Vec<usize>,
}

impl Usual {
    fn note(&mut self, pages: Vec<usize>) {
        self.both = pages.iter().copied().filter(|page| self.last.binary_search(page).is_ok()).collect();
        self.last = pages;
    }
}

impl Spares {
    /// The one of this image, which is its taker's from then on, and where the taker's first program is likely to write.
    /// `pages`: where the taker has pages of its own, in order.
    pub fn take(&self, image: &Arc<Image>, pages: impl Iterator<Item = usize>) -> (Option<Spare>, Vec<usize>) {
        let mut images = self.lock();
        let of = of_image(&mut images, image);
        of.own.note(pages.take(MOST).collect());
        (of.ready.take(), of.written.both.clone())
    }

    /// Where the first program after a wake has written. One that has written much says nothing about others; and where the
    /// kernel cannot tell what was written, it seems to be all.
    pub fn note_written(&self, image: &Arc<Image>, written: &Written) {
        let few = written.bytes() <= (MOST * PAGE) as u64;
        let pages = if few { written.ranges().iter().cloned().flatten().collect() } else { Vec::new() };
        of_image(&mut self.lock(), image).written.note(pages);
    }

    /// Which pages of its own the next one is to have, if there is none.
    pub fn wanted(&self, image: &Arc<Image>) -> Option<Vec<usize>> {
        let mut images = self.lock();
        let OfImage { ready: None, own, written, .. } = of_image(&mut images, image) else { return None };
        let mut pages = own.both.clone();
        if !pages.is_empty() {
            pages.extend(&written.both);
            pages.sort_unstable();
            pages.dedup();
            pages.truncate(MOST);
        }
        Some(pages)
    }

    pub fn put(&self, image: &Arc<Image>, spare: Spare) {
        of_image(&mut self.lock(), image).ready = Some(spare);
    }

    /// It is whole between any two statements.
    fn lock(&self) -> MutexGuard<'_, Vec<OfImage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets those of images that are gone.
fn of_image<'a>(images: &'a mut Vec<OfImage>, image: &Arc<Image>) -> &'a mut OfImage {
    images.retain(|of| of.image.strong_count() > 0);
    let at = images.iter().position(|of| of.image.as_ptr() == Arc::as_ptr(image)).unwrap_or_else(|| {
        images.push(OfImage {
            image: Arc::downgrade(image),
            ready: None,
            own: Usual::default(),
            written: Usual::default(),
        });
        images.len() - 1
    });
    &mut images[at]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Mapping;

    #[test]
    fn what_is_foreseen_is_what_two_sessions_had_in_common_and_little_of_it() {
        let image = Arc::new(Image::new(vec![1; 2 * MOST * PAGE]).unwrap());
        let spares = Spares::default();
        let written = |count: usize| {
            let mapping = Mapping::of(&image, 0).unwrap();
            (0..count).for_each(|page| mapping.write((page * PAGE) as u32, &[2]).unwrap());
            Written::of(&mapping)
        };
        let wake = |pages: &[usize], count: usize| {
            let (_, first_written) = spares.take(&image, pages.iter().copied());
            spares.note_written(&image, &written(count));
            first_written
        };
        wake(&[300, 400, 500], MOST + 1);
        wake(&[300, 500], MOST + 1);
        assert!(wake(&[300, 500], MOST + 1).is_empty(), "a program that wrote much");
        assert_eq!(spares.wanted(&image).unwrap(), [300, 500]);
        spares.take(&image, std::iter::empty());
        assert!(spares.wanted(&image).unwrap().is_empty(), "the last one was new");

        let all: Vec<_> = (0..2 * MOST).collect();
        (0..2).for_each(|_| drop(wake(&all, 3)));
        assert_eq!(spares.wanted(&image).unwrap(), all[..MOST]);
        let can_tell = written(3).bytes() == 3 * PAGE as u64;
        assert_eq!(wake(&all, 3), if can_tell { vec![0, 1, 2] } else { Vec::new() });
    }
}
