//! A memory's content, kept once and mapped by many.

use std::{fs::File, io, io::Write, os::fd::OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags};

use super::PAGE;

/// A sealed memfd: nobody can change it while sessions map it.
#[derive(Debug)]
pub struct Image {
    file: OwnedFd,
    bytes: Vec<u8>,
}

impl Image {
    /// Keeps these bytes, whose number is a multiple of [`PAGE`].
    pub(crate) fn new(bytes: Vec<u8>) -> io::Result<Self> {
        let fd = rustix::fs::memfd_create("vm-image", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let mut file = File::from(fd);
        file.write_all(&bytes)?;
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL)?;
        Ok(Self { file: file.into(), bytes })
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The file to map.
    pub(crate) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// Its content.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What a fresh mapping holds at this page: the image's bytes, or zeros behind its end.
    pub(crate) fn page(&self, index: usize) -> &[u8] {
        self.bytes.get(index * PAGE..(index + 1) * PAGE).unwrap_or(&[0; PAGE])
    }

    /// A copy of the same.
    pub(crate) fn page_copy(&self, index: usize) -> Box<[u8; PAGE]> {
        Box::new(self.page(index).first_chunk().copied().unwrap_or([0; PAGE]))
    }
}
