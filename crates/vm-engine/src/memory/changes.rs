//! Which pages of a mapping have been written since it was made.
//!
//! Linux 6.7 and later can list them (`PAGEMAP_SCAN`); elsewhere every page has to be looked at.

use std::{fs::File, io, ops::Range, sync::LazyLock};

use rustix::ioctl;

use super::{Mapping, PAGE};

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
#[derive(Default)]
struct ScanArgument {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    regions: u64,
    regions_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_any: u64,
    return_mask: u64,
}

/// `struct page_region` of `linux/fs.h`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

const IS_FILE: u64 = 1 << 2;
const IS_PRESENT: u64 = 1 << 3;
const IS_SWAPPED: u64 = 1 << 4;
const IS_ZERO: u64 = 1 << 5;
const SCAN: ioctl::Opcode = ioctl::opcode::read_write::<ScanArgument>(b'f', 16);

static PAGEMAP: LazyLock<io::Result<File>> = LazyLock::new(|| File::open("/proc/self/pagemap"));

/// Page ranges that hold all pages that differ from what the mapping was made of; they may hold others too.
pub(super) fn written(mapping: &Mapping) -> Vec<Range<usize>> {
    scan(mapping).unwrap_or_else(|| std::iter::once(0..mapping.size() / PAGE).collect())
}

/// Bytes that the mapping has for itself.
pub(crate) fn written_bytes(mapping: &Mapping) -> u64 {
    written(mapping).iter().map(|pages| pages.len() * PAGE).sum::<usize>() as u64
}

/// What the kernel knows: pages that are this process's own. `None` where it cannot say.
fn scan(mapping: &Mapping) -> Option<Vec<Range<usize>>> {
    let pagemap = PAGEMAP.as_ref().ok()?;
    let (base, end) = (mapping.base() as u64, mapping.base() as u64 + mapping.size() as u64);
    let (mut found, mut start) = (Vec::new(), base);
    while start < end {
        let mut regions = [Region::default(); 256];
        let mut argument = ScanArgument {
            size: size_of::<ScanArgument>() as u64,
            start,
            end,
            regions: regions.as_mut_ptr() as u64,
            regions_len: regions.len() as u64,
            category_inverted: IS_FILE | IS_ZERO,
            category_mask: IS_FILE | IS_ZERO,
            // what was written may have been swapped out since
            category_any: IS_PRESENT | IS_SWAPPED,
            return_mask: IS_PRESENT | IS_SWAPPED,
            ..ScanArgument::default()
        };
        // SAFETY: the argument is what the kernel documents for this call, and the regions outlive it.
        let count = unsafe { ioctl::ioctl(pagemap, Scan(&mut argument)) }.ok()?;
        let page = |address: u64| (address - base) as usize / PAGE;
        found.extend(regions.get(..count)?.iter().map(|region| page(region.start)..page(region.end)));
        start = argument.walk_end;
    }
    Some(found)
}

/// The call, with the number of regions as its answer.
struct Scan<'a>(&'a mut ScanArgument);

// SAFETY: the opcode reads and writes the argument it is given, and nothing else but the regions it points to.
unsafe impl ioctl::Ioctl for Scan<'_> {
    type Output = usize;

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> ioctl::Opcode {
        SCAN
    }

    fn as_ptr(&mut self) -> *mut std::ffi::c_void {
        std::ptr::from_mut(self.0).cast()
    }

    unsafe fn output_from_ptr(out: ioctl::IoctlOutput, _: *mut std::ffi::c_void) -> rustix::io::Result<usize> {
        Ok(out as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Image;

    #[test]
    fn written_pages_are_found_and_read_ones_are_not() {
        let image = Image::new(vec![1; 8 * PAGE]).unwrap();
        let mapping = Mapping::of(&image, 600 * PAGE).unwrap();
        mapping.whole(|bytes| assert_eq!(bytes.iter().map(|b| u64::from(*b)).sum::<u64>(), 8 * PAGE as u64)).unwrap();
        let wrote = [0, 5, 8, 599];
        for page in wrote {
            mapping.write((page * PAGE) as u32, &[9]).unwrap();
        }
        let found: Vec<usize> = written(&mapping).into_iter().flatten().collect();
        assert!(wrote.iter().all(|page| found.contains(page)), "{found:?}");
        if scan(&mapping).is_some() {
            assert_eq!(found, wrote);
        }
    }
}
