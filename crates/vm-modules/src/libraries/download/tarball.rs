//! Taking one file out of a package. Nothing else of it is kept, and nothing is ever unpacked to disk.

use std::io::{self, ErrorKind, Read};

use flate2::read::GzDecoder;
use tar::Archive;

use crate::libraries::MAX_BYTES;

/// A small tarball can unpack to any size; no package of the catalog unpacks to a tenth of this.
const MAX_UNPACKED: u64 = 64 << 20;

/// The content of the first regular file of exactly this path.
///
/// # Errors
/// There is none, it is too large for a library, or this is no gzipped tarball.
pub fn extract(tarball: impl Read, wanted: &str) -> io::Result<Vec<u8>> {
    let mut archive = Archive::new(GzDecoder::new(tarball).take(MAX_UNPACKED));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() || *entry.path_bytes() != *wanted.as_bytes() {
            continue;
        }
        if entry.size() > MAX_BYTES {
            return Err(invalid(format!("its {wanted} has more than {MAX_BYTES} bytes")));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        return Ok(content);
    }
    Err(invalid(format!("it has no file {wanted}")))
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use tar::{Builder, EntryType, Header};

    use super::*;

    const WANTED: &str = "package/x.js";

    /// Any name of up to 100 bytes: the tar crate itself refuses to write the hostile ones.
    fn entry(tar: &mut Builder<Vec<u8>>, kind: EntryType, name: &str, content: &[u8]) {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        if kind.is_symlink() || kind.is_hard_link() {
            header.as_old_mut().linkname[..11].copy_from_slice(b"/etc/passwd");
        }
        header.set_cksum();
        tar.append(&header, content).unwrap();
    }

    fn gzip(tar: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(tar).unwrap();
        gzip.finish().unwrap()
    }

    fn tarball(entries: &[(EntryType, &str, &[u8])]) -> Vec<u8> {
        let mut tar = Builder::new(Vec::new());
        for (kind, name, content) in entries {
            entry(&mut tar, *kind, name, content);
        }
        gzip(&tar.into_inner().unwrap())
    }

    #[test]
    fn the_wanted_file_is_found_among_others() {
        let tarball = tarball(&[
            (EntryType::Directory, "package/", b""),
            (EntryType::Regular, "package/x.js.map", b"map"),
            (EntryType::Regular, WANTED, b"content"),
            (EntryType::Regular, "package/y.js", b"y"),
        ]);
        assert_eq!(extract(&tarball[..], WANTED).unwrap(), b"content");
    }

    #[test]
    fn hostile_entries_are_not_the_wanted_file_and_touch_nothing() {
        let outside = tempfile::tempdir().unwrap();
        let absolute = outside.path().join("x.js");
        let tarball = tarball(&[
            (EntryType::Regular, "../x.js", b"up"),
            (EntryType::Regular, "package/../package/x.js", b"around"),
            (EntryType::Regular, "package/sub/../../../x.js", b"up"),
            (EntryType::Regular, absolute.to_str().unwrap(), b"absolute"),
            (EntryType::Symlink, WANTED, b""),
            (EntryType::Link, WANTED, b""),
            (EntryType::Fifo, WANTED, b""),
            (EntryType::Directory, WANTED, b""),
        ]);
        assert_eq!(extract(&tarball[..], WANTED).unwrap_err().to_string(), "it has no file package/x.js");
        assert!(!absolute.exists());
    }

    #[test]
    fn sizes_are_bounded() {
        let huge = vec![0; MAX_BYTES as usize + 1];
        let error = extract(&tarball(&[(EntryType::Regular, WANTED, &huge)])[..], WANTED).unwrap_err();
        assert!(error.to_string().contains("more than"), "{error}");

        // A size that no content follows.
        let mut tar = Builder::new(Vec::new());
        entry(&mut tar, EntryType::Regular, WANTED, b"");
        let mut tar = tar.into_inner().unwrap();
        let mut header = Header::from_byte_slice(&tar[..512]).clone();
        header.set_size(u64::MAX / 2);
        header.set_cksum();
        tar[..512].copy_from_slice(header.as_bytes());
        assert!(extract(&gzip(&tar)[..], WANTED).is_err());
    }

    #[test]
    fn a_tarball_that_unpacks_without_end_is_not_read_to_its_end() {
        let filler = vec![0; MAX_UNPACKED as usize];
        let tarball = tarball(&[(EntryType::Regular, "package/filler", &filler), (EntryType::Regular, WANTED, b"x")]);
        assert!(tarball.len() < 1 << 20);
        assert!(extract(&tarball[..], WANTED).is_err());
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_there_is_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
            let _ = extract(&bytes[..], WANTED);
            let _ = extract(&gzip(&bytes)[..], WANTED);
        }

        #[test]
        fn a_damaged_tarball_gives_an_error_or_at_most_the_content(at in 0usize..3000, flip in 1u8..) {
            let mut tar = Builder::new(Vec::new());
            entry(&mut tar, EntryType::Regular, "package/a", b"a");
            entry(&mut tar, EntryType::Regular, WANTED, b"content");
            let mut tar = tar.into_inner().unwrap();
            let end = tar.len();
            tar[at % end] ^= flip;
            if let Ok(content) = extract(&gzip(&tar)[..], WANTED) {
                prop_assert!(content.len() <= end);
            }
        }
    }
}
