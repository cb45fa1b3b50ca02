//! Machines made ahead, one for each image: to make one is most of what it takes to begin a session.
//!
//! Sessions of one image mostly differ from it in the same pages, and write to the same pages first. So a machine for one
//! that wakes gets pages of its own where the last two that woke both had some: to write them takes a fifth of what the
//! kernel takes to make them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::machine::Machine;
use crate::memory::{Image, Written};

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
    fn note(&mut self, pages: impl Iterator<Item = usize>) {
        let pages: Vec<_> = pages.take(MOST).collect();
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
        of.own.note(pages);
        (of.ready.take(), of.written.both.clone())
    }

    /// Where the first program after a wake has written.
    pub fn note_written(&self, image: &Arc<Image>, written: &Written) {
        of_image(&mut self.lock(), image).written.note(written.ranges().iter().cloned().flatten());
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
