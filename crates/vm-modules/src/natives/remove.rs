//! `rmSync`. It works on names in open folders: a folder that becomes a symlink meanwhile leads nowhere.

use std::{ffi::OsStr, path::Path};

use cap_std::fs::Dir;

use super::{Bounds, NativeError, places::Place};

/// Each level keeps two descriptors open.
const MAX_DEPTH: usize = 200;

/// Removes a file, a symlink, or, with everything in it, a folder.
pub(super) fn remove(place: &Place<'_>, is_recursive: bool, bounds: &Bounds<'_>) -> Result<(), NativeError> {
    // no name: the granted folder itself, or something that only a `..` at the end says
    let Some(name) = place.path.file_name() else {
        place.folder.metadata(place.path).map_err(place.failed("rm"))?;
        return Err(NativeError::about_path("EBUSY", "resource busy or locked", "rm", place.shown));
    };
    let parent = place.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = place.folder.open_dir(parent).map_err(place.failed("rm"))?;
    let metadata = parent.symlink_metadata(name).map_err(place.failed("rm"))?;
    if metadata.is_dir() && !is_recursive {
        let text = "Path is a directory: rm returned EISDIR (is a directory)";
        return Err(NativeError::about_path("ERR_FS_EISDIR", text, "rm", place.shown));
    }
    remove_from(&parent, name, 0, &|error| place.failed("rm")(error), bounds)
}

fn remove_from(
    folder: &Dir,
    name: &OsStr,
    depth: usize,
    failed: &dyn Fn(std::io::Error) -> NativeError,
    bounds: &Bounds<'_>,
) -> Result<(), NativeError> {
    bounds.check()?;
    if !folder.symlink_metadata(name).map_err(failed)?.is_dir() {
        return folder.remove_file(name).map_err(failed);
    }
    if depth == MAX_DEPTH {
        return Err(NativeError::new("EMFILE", format!("EMFILE: more than {MAX_DEPTH} folders within each other, rm")));
    }
    let inner = folder.open_dir(name).map_err(failed)?;
    for entry in inner.entries().map_err(failed)? {
        remove_from(&inner, &entry.map_err(failed)?.file_name(), depth + 1, failed, bounds)?;
    }
    folder.remove_dir(name).map_err(failed)
}
