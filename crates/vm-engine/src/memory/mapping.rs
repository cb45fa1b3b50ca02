//! One linear memory.
//!
//! The rule that keeps the process alive: the host touches a guest's memory only while it holds that memory's lock, and the
//! watchdog takes the same lock before it takes the memory away. A guest that touches it then faults inside WebAssembly
//! code, which wasmtime turns into a trap; a fault in host code would end the process.

use std::{
    borrow::Cow,
    ffi::c_void,
    io,
    ops::Range,
    ptr::{self, NonNull},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags};

use super::{Image, PAGE, userfault};

/// Addresses that one memory reserves: all that 32 bits can name, and wasmtime's guard behind them.
const ADDRESSES: usize = 4 << 30;
/// The unit of a memory's size in WebAssembly.
const GRANULE: usize = 64 << 10;
/// Offsets in load and store instructions reach at most this far behind the 4 GiB without a check of their own.
pub(crate) const GUARD: usize = 32 << 20;

/// One linear memory.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<c_void>,
    /// Accessible bytes.
    size: AtomicUsize,
    /// Whether the watchdog has taken the memory away.
    revoked: Mutex<bool>,
    /// Whether the kernel tells which protected pages are written.
    watched: OnceLock<bool>,
}

// SAFETY: the pointer is to a mapping that this value owns; all access through it is behind the mutex.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

/// The memory has been taken away, or the place named is not inside it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Denied(&'static str);

const OUTSIDE: Denied = Denied("the guest named a place outside its memory");

impl Mapping {
    /// A memory of zeros.
    pub fn empty(size: usize) -> io::Result<Self> {
        let mapping = Self::reserve()?;
        mapping.grow(size).map_err(|_| io::Error::last_os_error())?;
        Ok(mapping)
    }

    /// The addresses of a memory, none of them accessible.
    fn reserve() -> io::Result<Self> {
        // SAFETY: a new anonymous mapping at an address of the kernel's choice; nothing else refers to it.
        let base = unsafe {
            rustix::mm::mmap_anonymous(
                ptr::null_mut(),
                ADDRESSES + GUARD,
                ProtFlags::empty(),
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )?
        };
        let base = NonNull::new(base).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, size: AtomicUsize::new(0), revoked: Mutex::new(false), watched: OnceLock::new() })
    }

    /// A memory of `size` bytes that begins as the image and shares its pages until it writes to them.
    pub fn of(image: &Image, size: usize) -> io::Result<Self> {
        let mapping = Self::reserve()?;
        // SAFETY: replaces the first pages of the mapping made above, to which nobody else has a pointer yet.
        unsafe {
            rustix::mm::mmap(
                mapping.base.as_ptr(),
                image.len(),
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::FIXED,
                image.file(),
                0,
            )?;
        }
        mapping.size.store(image.len(), Ordering::Release);
        mapping.grow(size).map_err(|_| io::Error::last_os_error())?;
        Ok(mapping)
    }

    /// Where it begins, for wasmtime.
    pub fn base(&self) -> *mut u8 {
        self.base.as_ptr().cast()
    }

    /// Accessible bytes.
    pub fn size(&self) -> usize {
        self.size.load(Ordering::Acquire)
    }

    /// The most bytes it can have.
    pub fn capacity() -> usize {
        ADDRESSES
    }

    /// Makes it at least `size` bytes long.
    pub fn grow(&self, size: usize) -> Result<(), Denied> {
        let _guard = self.enter()?;
        let old = self.size();
        if size > ADDRESSES {
            return Err(Denied("a memory has at most 4 GiB"));
        }
        if size > old {
            // SAFETY: the range lies inside the mapping, behind what is in use.
            unsafe {
                let start = self.base.as_ptr().byte_add(old);
                rustix::mm::mprotect(start, size - old, MprotectFlags::READ | MprotectFlags::WRITE)
                    .map_err(|_| Denied("the kernel refused to make a memory longer"))?;
            }
            self.size.store(size, Ordering::Release);
        }
        Ok(())
    }

    /// Looks at `len` bytes from `start`.
    pub fn read<T>(&self, start: u32, len: u32, look: impl FnOnce(&[u8]) -> T) -> Result<T, Denied> {
        let _guard = self.enter()?;
        let at = self.place(start, len as usize)?;
        // SAFETY: inside the accessible part, which stays so while the lock is held; the guest runs on this thread or not
        // at all, so nothing writes meanwhile but the watchdog's one flag byte, which takes the lock.
        Ok(look(unsafe { std::slice::from_raw_parts(at, len as usize) }))
    }

    /// Writes bytes from `start` on.
    pub fn write(&self, start: u32, bytes: &[u8]) -> Result<(), Denied> {
        let _guard = self.enter()?;
        let at = self.place(start, bytes.len())?;
        // SAFETY: inside the accessible part, which stays so while the lock is held. The stop flag may be written while
        // the guest runs; the guest reads it as volatile.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len()) };
        Ok(())
    }

    /// Changes a page, by index.
    pub fn page(&self, index: usize, change: impl FnOnce(&mut [u8; PAGE])) -> Result<(), Denied> {
        let _guard = self.enter()?;
        let start = u32::try_from(index * PAGE).map_err(|_| OUTSIDE)?;
        let at = self.place(start, PAGE)?;
        // SAFETY: inside the accessible part, which stays so while the lock is held; the guest runs on this thread or not at
        // all, and the watchdog's flag is written under the lock.
        change(unsafe { &mut *at.cast() });
        Ok(())
    }

    /// Looks at all of it.
    pub fn whole<T>(&self, look: impl FnOnce(&[u8]) -> T) -> Result<T, Denied> {
        let _guard = self.enter()?;
        // SAFETY: as in `read`.
        Ok(look(unsafe { std::slice::from_raw_parts(self.base(), self.size()) }))
    }

    /// Whether pages can be protected, with the kernel telling which of them are written all the same.
    pub fn begin_protecting(&self) -> bool {
        *self.watched.get_or_init(|| {
            // SAFETY: the range is the mapping's own.
            let done = unsafe { userfault::watch(self.base, &(0..ADDRESSES / PAGE)) };
            done.inspect_err(|why| tracing::debug!(%why, "the kernel does not watch a session's memory")).is_ok()
        })
    }

    /// Whether pages may be protected.
    pub fn has_protected(&self) -> bool {
        self.watched.get() == Some(&true)
    }

    /// Has the kernel fill some of these pages, which nobody has touched, in the order of their indexes. Drop the mapping
    /// after an error.
    pub fn fill<'a>(
        &self,
        range: Range<usize>,
        pages: impl Iterator<Item = (usize, Cow<'a, [u8; PAGE]>)>,
    ) -> io::Result<()> {
        let _guard = self.enter().map_err(io::Error::other)?;
        if range.end * PAGE > self.size() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: the range is the mapping's own, and accessible; the host touches it under the lock only, and no guest runs
        // in a mapping that was not touched.
        unsafe { userfault::fill(self.base, range, pages) }
    }

    /// Has the kernel make pages the mapping's own before anybody writes to them, by index and in order; they hold what they
    /// held. Makes it as long as that takes.
    pub fn populate(&self, pages: &[usize]) -> io::Result<()> {
        if let Some(last) = pages.last() {
            self.grow(((last + 1) * PAGE).next_multiple_of(GRANULE)).map_err(io::Error::other)?;
        }
        let _guard = self.enter().map_err(io::Error::other)?;
        for run in pages.chunk_by(|one, next| one + 1 == *next) {
            // SAFETY: the range lies inside the mapping's accessible part, and what is there stays the same.
            unsafe {
                let start = self.base.as_ptr().byte_add(run[0] * PAGE);
                rustix::mm::madvise(start, run.len() * PAGE, Advice::LinuxPopulateWrite)?;
            }
        }
        Ok(())
    }

    /// Gives pages back to the kernel, by index; they hold again what the image has there, or zeros.
    pub fn give_back(&self, pages: Range<usize>) -> Result<(), Denied> {
        let _guard = self.enter()?;
        if pages.end * PAGE > self.size() || pages.is_empty() {
            return Ok(());
        }
        // SAFETY: the range lies inside the mapping's accessible part, nobody runs in it while the lock is held here, and what
        // is lost by it is what the caller gives back.
        let done = unsafe {
            let start = self.base.as_ptr().byte_add(pages.start * PAGE);
            rustix::mm::madvise(start, pages.len() * PAGE, Advice::LinuxDontNeed)
        };
        done.map_err(|_| Denied("the kernel does not take memory back"))
    }

    /// Takes the memory away: whatever touches it next faults.
    pub fn revoke(&self) {
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        if *revoked {
            return;
        }
        // SAFETY: the range is the mapping's own. Host code is not inside it, because the lock is held here.
        let done = unsafe { rustix::mm::mprotect(self.base.as_ptr(), self.size(), MprotectFlags::empty()) };
        match done {
            Ok(()) => *revoked = true,
            Err(error) => tracing::error!(%error, "cannot take a session's memory away"),
        }
    }

    /// Whether it has been taken away.
    pub fn is_revoked(&self) -> bool {
        *self.revoked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self) -> Result<MutexGuard<'_, bool>, Denied> {
        let guard = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        if *guard { Err(Denied("the memory has been taken away")) } else { Ok(guard) }
    }

    fn place(&self, start: u32, len: usize) -> Result<*mut u8, Denied> {
        if start as usize + len > self.size() {
            return Err(OUTSIDE);
        }
        // SAFETY: not beyond the end of the accessible part, as just checked.
        Ok(unsafe { self.base().add(start as usize) })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the last owner is going; wasmtime's memory object is one of the owners. Failure leaks addresses, no more.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr(), ADDRESSES + GUARD) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_outside_is_denied() {
        let mapping = Mapping::empty(2 * PAGE).unwrap();
        mapping.write(PAGE as u32, &[7; PAGE]).unwrap();
        assert_eq!(mapping.read(PAGE as u32, 1, |bytes| bytes[0]).unwrap(), 7);
        for (start, len) in [(0, 2 * PAGE as u32 + 1), (u32::MAX, 1), (u32::MAX, u32::MAX), (2 * PAGE as u32, 1)] {
            assert!(mapping.read(start, len, |_| ()).is_err(), "{start}+{len}");
        }
        assert!(mapping.write(2 * PAGE as u32 - 1, &[1, 2]).is_err());
    }

    #[test]
    fn a_memory_taken_away_is_denied_to_the_host() {
        let mapping = Mapping::empty(PAGE).unwrap();
        mapping.revoke();
        assert!(mapping.read(0, 1, |_| ()).is_err());
        assert!(mapping.write(0, &[1]).is_err());
        assert!(mapping.grow(2 * PAGE).is_err());
    }
}
