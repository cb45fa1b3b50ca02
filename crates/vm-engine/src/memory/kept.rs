//! A page that differs from the image's, as a checkpoint keeps it.

use std::borrow::Cow;

use super::{PAGE, difference::Difference};

#[derive(Clone, Debug)]
pub(super) enum Kept {
    /// What an execution has written is mostly written again.
    Page(Box<[u8; PAGE]>),
    /// As it was stored: most of what a session wakes with is only read.
    Difference(Difference),
}

impl Kept {
    pub fn page(page: &[u8; PAGE]) -> Self {
        Self::Page(Box::new(*page))
    }

    /// A page that differs from the image's so.
    pub fn of(difference: Difference, image: &[u8; PAGE]) -> Self {
        if difference.len() < PAGE / 2 {
            return Self::Difference(difference);
        }
        let mut page = Box::new(*image);
        difference.toggle(&mut page);
        Self::Page(page)
    }

    /// Takes the place of what was kept.
    pub fn set(&mut self, page: &[u8; PAGE]) {
        match self {
            Self::Page(kept) => **kept = *page,
            Self::Difference(_) => *self = Self::page(page),
        }
    }

    /// Goes on to the other page of a difference.
    pub fn toggle(&mut self, difference: &Difference, image: &[u8; PAGE]) {
        if let Self::Difference(_) = self {
            *self = Self::page(&self.content(image));
        }
        if let Self::Page(page) = self {
            difference.toggle(page);
        }
    }

    pub fn is(&self, page: &[u8; PAGE], image: &[u8; PAGE]) -> bool {
        match self {
            Self::Page(kept) => **kept == *page,
            Self::Difference(difference) => difference.leads(image, page),
        }
    }

    pub fn content(&self, image: &[u8; PAGE]) -> Cow<'_, [u8; PAGE]> {
        match self {
            Self::Page(page) => Cow::Borrowed(page),
            Self::Difference(difference) => {
                let mut page = *image;
                difference.toggle(&mut page);
                Cow::Owned(page)
            }
        }
    }

    /// Makes the image's page this one.
    pub fn bring(&self, page: &mut [u8; PAGE]) {
        match self {
            Self::Page(kept) => page.copy_from_slice(&kept[..]),
            Self::Difference(difference) => difference.toggle(page),
        }
    }

    /// Bytes of memory that it takes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Page(_) => PAGE,
            Self::Difference(difference) => difference.len(),
        }
    }
}
