//! A memory's content, kept once and mapped by many.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, OwnedFd},
    ptr, thread,
};

use rustix::{
    fs::{MemfdFlags, SealFlags},
    mm::{MapFlags, ProtFlags},
};

use super::PAGE;

/// What one entry of a page table's middle level covers, on x86-64 and mostly elsewhere.
const HUGE_PAGE: usize = 2 << 20;

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
        // not WRITE, which fails while the kernel itself has one of the pages in its hands; nobody else has this file
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&file, seals)?;
        if let Err(error) = collapse_later(&file, bytes.len()) {
            tracing::debug!(%error, "nobody collapses an image");
        }
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
    pub(crate) fn page(&self, index: usize) -> &[u8; PAGE] {
        self.bytes.get(index * PAGE..).and_then(|rest| rest.first_chunk()).unwrap_or(&[0; PAGE])
    }
}

/// Has the kernel keep an image in huge pages: then what a session reads of it costs a third of the faults' time. That takes
/// milliseconds, for which nobody waits.
fn collapse_later(file: &File, len: usize) -> io::Result<()> {
    if len >= HUGE_PAGE / 2 {
        let file = file.try_clone()?;
        let collapse = move || {
            if let Err(error) = collapse(&file, len) {
                tracing::debug!(%error, "an image is kept in small pages");
            }
        };
        thread::Builder::new().name("image".into()).spawn(collapse)?;
    }
    Ok(())
}

fn collapse(file: impl AsFd, len: usize) -> io::Result<()> {
    let size = len.next_multiple_of(HUGE_PAGE);
    // SAFETY: new mappings at an address of the kernel's choice and, aligned, inside of that; nobody touches them, so what
    // lies behind the end of the file does no harm.
    unsafe {
        let room =
            rustix::mm::mmap_anonymous(ptr::null_mut(), size + HUGE_PAGE, ProtFlags::empty(), MapFlags::PRIVATE)?;
        let start = room.byte_add(room.align_offset(HUGE_PAGE));
        let mapped = rustix::mm::mmap(start, size, ProtFlags::READ, MapFlags::SHARED | MapFlags::FIXED, file, 0);
        let advised = mapped.map(|start| libc::madvise(start, size, libc::MADV_COLLAPSE));
        let refused = io::Error::last_os_error();
        rustix::mm::munmap(room, size + HUGE_PAGE)?;
        if advised? == 0 { Ok(()) } else { Err(refused) }
    }
}
