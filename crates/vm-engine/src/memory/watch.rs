//! Lets the kernel watch for writes to protected pages: it lifts the protection by itself, and can tell later.
//!
//! `userfaultfd` in its asynchronous mode, of Linux 6.7 and later. Some containers do not allow it.

use std::{ffi::c_void, io, os::fd::OwnedFd, ptr::NonNull, sync::LazyLock};

use rustix::{
    ioctl::{self, Updater},
    mm::{UserfaultfdFlags, userfaultfd},
};

/// `struct uffdio_api` of `linux/userfaultfd.h`.
#[repr(C)]
#[derive(Default)]
struct Api {
    api: u64,
    features: u64,
    ioctls: u64,
}

/// `struct uffdio_register` of the same.
#[repr(C)]
#[derive(Default)]
struct Register {
    start: u64,
    len: u64,
    mode: u64,
    ioctls: u64,
}

const VERSION: u64 = 0xaa;
/// The flag that asks for no more than what any process may have.
const USER_MODE_ONLY: UserfaultfdFlags = UserfaultfdFlags::from_bits_retain(1);
/// Pages that nobody has touched yet may lie between the protected ones.
const UNPOPULATED: u64 = 1 << 13;
const ASYNCHRONOUS: u64 = 1 << 15;
const WRITES: u64 = 1 << 1;

const API: ioctl::Opcode = ioctl::opcode::read_write::<Api>(0xaa, 0x3f);
const REGISTER: ioctl::Opcode = ioctl::opcode::read_write::<Register>(0xaa, 0);

static KERNEL: LazyLock<io::Result<OwnedFd>> = LazyLock::new(|| {
    // SAFETY: nobody reads from the descriptor, and nothing is done with it but in this file.
    let kernel = unsafe { userfaultfd(UserfaultfdFlags::CLOEXEC | UserfaultfdFlags::NONBLOCK | USER_MODE_ONLY) }?;
    let mut api = Api { api: VERSION, features: UNPOPULATED | ASYNCHRONOUS, ioctls: 0 };
    // SAFETY: the opcode reads and writes one such structure.
    unsafe { ioctl::ioctl(&kernel, Updater::<API, Api>::new(&mut api)) }?;
    Ok(kernel)
});

/// From here on, until it is unmapped.
///
/// # Safety
/// The range is one mapping, of the caller's own.
pub(super) unsafe fn writes(start: NonNull<c_void>, len: usize) -> io::Result<()> {
    let kernel = KERNEL.as_ref().map_err(|error| io::Error::from(error.kind()))?;
    let mut register = Register { start: start.as_ptr() as u64, len: len as u64, mode: WRITES, ioctls: 0 };
    // SAFETY: the opcode reads and writes one such structure; a page that is watched holds what it held.
    unsafe { ioctl::ioctl(kernel, Updater::<REGISTER, Register>::new(&mut register)) }?;
    Ok(())
}
