//! What a specifier asks for, as text: nothing here looks at the disk.

/// The folder of the script or module that asks; what runs without a file, such as a snippet, is in the worktree's root.
pub(super) fn folder_of(importer: &str) -> &str {
    if importer.starts_with('<') {
        return "";
    }
    without_query(importer).rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A module's name without what only tells its instances apart, as in `./a.js?fresh=1`.
pub(super) fn without_query(name: &str) -> &str {
    name.split(['?', '#']).next().unwrap_or_default()
}

/// The path that `specifier` means in `folder`; `None` where it leads out of the worktree.
pub(super) fn join(folder: &str, specifier: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in specifier.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether it has a scheme, as `http://…` and `node:fs` have.
pub(super) fn has_scheme(specifier: &str) -> bool {
    specifier.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_relative_to_the_file_that_asks() {
        for (importer, specifier, expected) in [
            ("a.js", "./b.js", Some("b.js")),
            ("lib/a.js", "./b.js", Some("lib/b.js")),
            ("lib/a.js?v=2", "../b.js", Some("b.js")),
            ("lib/deep/a.js", "../../b", Some("b")),
            ("<repl>", "./x/../y.js", Some("y.js")),
            ("a.js", "../b.js", None),
            ("lib/a.js", "../../b.js", None),
            ("lib/a.js", "./x/../../../lib/b.js", None),
        ] {
            assert_eq!(join(folder_of(importer), specifier).as_deref(), expected, "{specifier} in {importer}");
        }
    }

    proptest! {
        #[test]
        fn a_joined_path_never_leads_upwards(folder in "[a-z./]{0,20}", specifier in "\\PC{0,30}") {
            if let Some(path) = join(&folder, &specifier) {
                prop_assert!(!path.starts_with('/'), "{path}");
                // what the importer's own path has is opened by the kernel, which refuses it
                let upwards = folder.split('/').any(|part| part == "..");
                prop_assert!(upwards || path.split('/').all(|part| part != ".."), "{path}");
            }
        }
    }
}
