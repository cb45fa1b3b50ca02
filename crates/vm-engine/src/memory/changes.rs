//! Which pages of a mapping have been written: since it was made, or since they were protected.
//!
//! Linux 6.7 and later can list them (`PAGEMAP_SCAN`); elsewhere every page has to be looked at.

use std::{fs::File, io, ops::Range, sync::LazyLock};

use rustix::ioctl;

use super::{Mapping, PAGE};

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
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

const IS_WRITTEN: u64 = 1 << 1;
const IS_FILE: u64 = 1 << 2;
const IS_PRESENT: u64 = 1 << 3;
const IS_SWAPPED: u64 = 1 << 4;
const IS_ZERO: u64 = 1 << 5;
/// Flags of the call: protect what is found, and refuse where the kernel would ask somebody at the next write.
const WRITE_PROTECT: u64 = 1 << 0 | 1 << 1;
const SCAN: ioctl::Opcode = ioctl::opcode::read_write::<ScanArgument>(b'f', 16);

static PAGEMAP: LazyLock<io::Result<File>> = LazyLock::new(|| File::open("/proc/self/pagemap"));

/// So many ranges are asked about one by one.
const FEW: usize = 32;
/// So many pages are asked about everything at once.
const SMALL: usize = 4096;

/// Page ranges that hold all pages that may differ from what the mapping was made of, or held when they were
/// [protected](protect).
pub(crate) struct Written(Vec<Range<usize>>);

impl Written {
    pub fn of(mapping: &Mapping) -> Self {
        if mapping.has_protected() { Self::or_all(mapping, unprotected(mapping)) } else { Self::ever(mapping) }
    }

    /// The protected ones too.
    pub(super) fn ever(mapping: &Mapping) -> Self {
        Self::or_all(mapping, scan(mapping, ScanArgument::OWN, all(mapping)))
    }

    fn or_all(mapping: &Mapping, known: Option<Vec<Range<usize>>>) -> Self {
        Self(known.unwrap_or_else(|| std::iter::once(all(mapping)).collect()))
    }

    /// In order.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.0
    }

    pub fn bytes(&self) -> u64 {
        (self.0.iter().map(ExactSizeIterator::len).sum::<usize>() * PAGE) as u64
    }
}

/// From here on these pages are written again only when they are written. Where the kernel cannot tell, they stay as they
/// are: looked at after each execution.
pub(super) fn protect(mapping: &Mapping, pages: &[Range<usize>]) {
    if !mapping.begin_protecting() {
        return;
    }
    for pages in pages {
        let mut argument = ScanArgument {
            flags: WRITE_PROTECT,
            start: (mapping.base() as usize + pages.start * PAGE) as u64,
            end: (mapping.base() as usize + pages.end * PAGE) as u64,
            ..ScanArgument::UNPROTECTED
        };
        if argument.call().is_err() {
            return;
        }
    }
}

fn all(mapping: &Mapping) -> Range<usize> {
    0..mapping.size() / PAGE
}

/// Of a large memory the kernel passes over what is protected in a third of the time if nothing else is asked; so only what
/// is left is asked whether it is there at all. `None` where it cannot say.
fn unprotected(mapping: &Mapping) -> Option<Vec<Range<usize>>> {
    if all(mapping).len() <= SMALL {
        return scan(mapping, ScanArgument::OWN_UNPROTECTED, all(mapping));
    }
    let left = scan(mapping, ScanArgument::MAYBE_ABSENT, all(mapping))?;
    if left.len() > FEW {
        return scan(mapping, ScanArgument::UNPROTECTED, all(mapping));
    }
    let found = left.into_iter().map(|pages| scan(mapping, ScanArgument::UNPROTECTED, pages));
    Some(found.collect::<Option<Vec<_>>>()?.concat())
}

/// Which of these pages the kernel says are such. `None` where it cannot say.
fn scan(mapping: &Mapping, which: ScanArgument, pages: Range<usize>) -> Option<Vec<Range<usize>>> {
    let base = mapping.base() as u64;
    let (mut found, mut start, end) =
        (Vec::new(), base + (pages.start * PAGE) as u64, base + (pages.end * PAGE) as u64);
    while start < end {
        let mut regions = [Region::default(); 256];
        let mut argument = ScanArgument {
            start,
            end,
            regions: regions.as_mut_ptr() as u64,
            regions_len: regions.len() as u64,
            ..which
        };
        let count = argument.call().ok()?;
        let page = |address: u64| (address - base) as usize / PAGE;
        found.extend(regions.get(..count)?.iter().map(|region| page(region.start)..page(region.end)));
        start = argument.walk_end;
    }
    Some(found)
}

impl ScanArgument {
    const PRESENT: Self = Self {
        size: size_of::<Self>() as u64,
        flags: 0,
        start: 0,
        end: 0,
        walk_end: 0,
        regions: 0,
        regions_len: 0,
        max_pages: 0,
        category_inverted: 0,
        category_mask: 0,
        // what was written may have been swapped out since
        category_any: IS_PRESENT | IS_SWAPPED,
        return_mask: IS_PRESENT | IS_SWAPPED,
    };
    /// Pages that are this process's own.
    const OWN: Self = Self { category_inverted: IS_FILE | IS_ZERO, category_mask: IS_FILE | IS_ZERO, ..Self::PRESENT };
    /// Those of them that are not protected.
    const OWN_UNPROTECTED: Self = Self { category_mask: IS_WRITTEN | IS_FILE | IS_ZERO, ..Self::OWN };
    /// Pages that are not protected. Whose they are is not asked, because the kernel has to look for that in a place far away
    /// for each page.
    const UNPROTECTED: Self = Self { category_mask: IS_WRITTEN, ..Self::PRESENT };
    /// Those, and pages that nobody has touched.
    const MAYBE_ABSENT: Self =
        Self { category_mask: IS_WRITTEN, category_any: 0, return_mask: IS_WRITTEN, ..Self::PRESENT };

    fn call(&mut self) -> io::Result<usize> {
        let pagemap = PAGEMAP.as_ref().map_err(|error| io::Error::from(error.kind()))?;
        // SAFETY: the argument is what the kernel documents for this call, and the regions outlive it.
        Ok(unsafe { ioctl::ioctl(pagemap, Scan(self)) }?)
    }
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
        let found: Vec<usize> = Written::of(&mapping).0.into_iter().flatten().collect();
        assert!(wrote.iter().all(|page| found.contains(page)), "{found:?}");
        if scan(&mapping, ScanArgument::OWN, all(&mapping)).is_some() {
            assert_eq!(found, wrote);
        }
    }

    #[test]
    fn protected_pages_are_found_when_they_are_written_again() {
        let image = Image::new(vec![1; 8 * PAGE]).unwrap();
        let mapping = Mapping::of(&image, 600 * PAGE).unwrap();
        let write = |page: usize| mapping.write((page * PAGE) as u32, &[9]).unwrap();
        [0, 1, 5, 8, 9, 599].into_iter().for_each(write);
        protect(&mapping, &[0..2, 5..6, 8..9, 599..600]);
        write(1);
        write(8);
        write(300);
        let found: Vec<usize> = Written::of(&mapping).0.into_iter().flatten().collect();
        assert!([1, 8, 9, 300].iter().all(|page| found.contains(page)), "{found:?}");
        if mapping.has_protected() {
            assert_eq!(found, [1, 8, 9, 300]);
            let ever: Vec<usize> = Written::ever(&mapping).0.into_iter().flatten().collect();
            assert_eq!(ever, [0, 1, 5, 8, 9, 300, 599]);
        }
    }
}
