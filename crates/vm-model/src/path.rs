//! Paths of the worktree, as they are stored and shown.

use std::path::{Component, Path};

/// The path with `/` between its parts, without `.` and doubled slashes; the worktree itself is `.`.
///
/// # Errors
/// What makes it no path beneath the worktree, to be read behind it.
pub fn normalise(path: &str) -> Result<String, &'static str> {
    if path.contains('\0') {
        return Err("has a NUL character");
    }
    let mut parts = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => parts.extend(part.to_str()),
            Component::CurDir => {}
            Component::ParentDir => return Err("has '..'"),
            Component::RootDir | Component::Prefix(_) => return Err("is absolute"),
        }
    }
    Ok(if parts.is_empty() { ".".into() } else { parts.join("/") })
}
