//! What the kernel does for a mapping where its process may have a `userfaultfd`. Some containers do not allow it.
//!
//! It fills pages that nobody has touched, in half the time that a fault for each and a copy take. And it watches for writes
//! to protected pages: it lifts the protection by itself, and can tell later (in the asynchronous mode, of Linux 6.7 and later).

use std::{borrow::Cow, ffi::c_void, io, ops::Range, os::fd::OwnedFd, ptr::NonNull, sync::LazyLock};

use rustix::{
    ioctl::{self, Setter, Updater},
    mm::{UserfaultfdFlags, userfaultfd},
};

use super::PAGE;

/// `struct uffdio_api` of `linux/userfaultfd.h`.
#[repr(C)]
#[derive(Default)]
struct Api {
    api: u64,
    features: u64,
    ioctls: u64,
}

/// `struct uffdio_range` of the same.
#[repr(C)]
#[derive(Clone, Copy)]
struct Place {
    start: u64,
    len: u64,
}

impl Place {
    fn of(base: NonNull<c_void>, pages: &Range<usize>) -> Self {
        Self { start: base.as_ptr() as u64 + (pages.start * PAGE) as u64, len: (pages.len() * PAGE) as u64 }
    }
}

/// `struct uffdio_register`.
#[repr(C)]
struct Register {
    place: Place,
    mode: u64,
    ioctls: u64,
}

/// `struct uffdio_copy`.
#[repr(C)]
struct Copy {
    to: u64,
    from: u64,
    len: u64,
    mode: u64,
    copied: i64,
}

const VERSION: u64 = 0xaa;
/// As many pages are filled at once: they are gathered before, in what fits a processor's cache.
const RUN: usize = 16;
/// The flag that asks for no more than what any process may have.
const USER_MODE_ONLY: UserfaultfdFlags = UserfaultfdFlags::from_bits_retain(1);
/// Pages that nobody has touched yet may lie between the protected ones.
const UNPOPULATED: u64 = 1 << 13;
const ASYNCHRONOUS: u64 = 1 << 15;
const MISSING: u64 = 1 << 0;
const WRITES: u64 = 1 << 1;

const API: ioctl::Opcode = ioctl::opcode::read_write::<Api>(0xaa, 0x3f);
const REGISTER: ioctl::Opcode = ioctl::opcode::read_write::<Register>(0xaa, 0);
const UNREGISTER: ioctl::Opcode = ioctl::opcode::read::<Place>(0xaa, 1);
const COPY: ioctl::Opcode = ioctl::opcode::read_write::<Copy>(0xaa, 3);

static KERNEL: LazyLock<io::Result<OwnedFd>> = LazyLock::new(|| {
    // SAFETY: nobody reads from the descriptor, and nothing is done with it but in this file.
    let kernel = unsafe { userfaultfd(UserfaultfdFlags::CLOEXEC | UserfaultfdFlags::NONBLOCK | USER_MODE_ONLY) }?;
    let mut api = Api { api: VERSION, features: UNPOPULATED | ASYNCHRONOUS, ioctls: 0 };
    // SAFETY: the opcode reads and writes one such structure.
    unsafe { ioctl::ioctl(&kernel, Updater::<API, Api>::new(&mut api)) }?;
    Ok(kernel)
});

fn kernel() -> io::Result<&'static OwnedFd> {
    KERNEL.as_ref().map_err(|error| io::Error::from(error.kind()))
}

/// Watches for writes to protected pages from here on, until the mapping is gone.
///
/// # Safety
/// The range, in pages from `base` on, is a mapping of the caller's own.
pub(super) unsafe fn watch(base: NonNull<c_void>, range: &Range<usize>) -> io::Result<()> {
    // SAFETY: a page that is watched holds what it held.
    unsafe { register(Place::of(base, range), WRITES) }
}

unsafe fn register(place: Place, mode: u64) -> io::Result<()> {
    let mut register = Register { place, mode, ioctls: 0 };
    // SAFETY: the opcode reads and writes one such structure.
    unsafe { ioctl::ioctl(kernel()?, Updater::<REGISTER, Register>::new(&mut register)) }?;
    Ok(())
}

/// Fills some pages of a range, by index and in their order. After an error the mapping is of no more use: who touches a
/// missing page of it may wait for ever.
///
/// # Safety
/// The range, in pages from `base` on, is of one mapping of the caller's own. Nobody has touched it, or does so meanwhile.
pub(super) unsafe fn fill<'a>(
    base: NonNull<c_void>,
    range: Range<usize>,
    pages: impl Iterator<Item = (usize, Cow<'a, [u8; PAGE]>)>,
) -> io::Result<()> {
    let place = Place::of(base, &range);
    // SAFETY: as the caller says.
    unsafe { register(place, MISSING) }?;
    let (mut first, mut run) = (0, Vec::with_capacity(RUN * PAGE));
    for (index, page) in pages {
        if index != first + run.len() / PAGE || run.len() == RUN * PAGE {
            copy(base, &range, first, &run)?;
            run.clear();
            first = index;
        }
        run.extend_from_slice(&page[..]);
    }
    copy(base, &range, first, &run)?;
    // SAFETY: the opcode reads one such structure; a page that is not watched any more holds what it held.
    unsafe { ioctl::ioctl(kernel()?, Setter::<UNREGISTER, Place>::new(place)) }?;
    Ok(())
}

/// Fills the pages from `first` on, in a range that is registered as missing.
fn copy(base: NonNull<c_void>, range: &Range<usize>, first: usize, run: &[u8]) -> io::Result<()> {
    if run.is_empty() {
        return Ok(());
    }
    let pages = first..first + run.len() / PAGE;
    if pages.start < range.start || pages.end > range.end {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let Place { start, len } = Place::of(base, &pages);
    let mut copy = Copy { to: start, from: run.as_ptr() as u64, len, mode: 0, copied: 0 };
    // SAFETY: the opcode reads and writes one such structure, and what it fills lies inside the registered range.
    unsafe { ioctl::ioctl(kernel()?, Updater::<COPY, Copy>::new(&mut copy)) }?;
    Ok(())
}
