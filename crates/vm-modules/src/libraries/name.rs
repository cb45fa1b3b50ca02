//! What a library may be called.

use super::catalog;

/// Why a name is none; the message says what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{0:?} is no library; use a name of the catalog (see `vm-system template list-available-libraries`), or NAME-VERSION for a file of the cache"
)]
pub struct LibraryNameError(String);

const MAX_LENGTH: usize = 128;

/// The file of the cache that a library's name means: `lodash` and `lodash-4.17.21` are `lodash-4.17.21.js`.
///
/// # Errors
/// The name is neither in the catalog nor of the form NAME-VERSION, or it could leave the cache folder.
pub fn file_name(name: &str) -> Result<String, LibraryNameError> {
    if let Some(library) = catalog::find(name) {
        return Ok(library.full_name() + ".js");
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    if parts(name).is_some() && name.len() <= MAX_LENGTH && !name.starts_with('.') && name.chars().all(is_plain) {
        return Ok(format!("{name}.js"));
    }
    Err(LibraryNameError(name.into()))
}

/// The two parts of NAME-VERSION; a version begins with a digit.
pub(super) fn parts(full_name: &str) -> Option<(&str, &str)> {
    let begins_version =
        |(at, _): &(usize, &str)| *at > 0 && full_name[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    let (at, _) = full_name.match_indices('-').find(begins_version)?;
    Some((&full_name[..at], &full_name[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_means_the_version_of_the_catalog() {
        assert_eq!(file_name("lodash").unwrap(), "lodash-4.17.21.js");
        assert_eq!(file_name("lodash-4.17.21").unwrap(), "lodash-4.17.21.js");
        assert_eq!(file_name("left-pad-1.3.0").unwrap(), "left-pad-1.3.0.js");
    }

    #[test]
    fn a_version_begins_at_the_first_digit_behind_a_hyphen() {
        assert_eq!(parts("left-pad-1.3.0-beta.1"), Some(("left-pad", "1.3.0-beta.1")));
        assert_eq!(parts("2d-4"), Some(("2d", "4")));
        assert_eq!(parts("2d-math"), None);
    }

    #[test]
    fn what_is_no_file_of_the_cache_is_no_library() {
        for name in
            ["", ".", "..", "left-pad", "-1.0", "a/b-1", "../x-1", "..-1", ".x-1", "a-1\0", "a-1\\b", "é-1", "a b-1"]
        {
            assert!(file_name(name).is_err(), "{name:?}");
        }
        assert!(file_name(&format!("{}-1", "a".repeat(200))).is_err());
    }
}
