//! The libraries that a template can name without a version.

/// A library of the catalog.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Library {
    /// As npm knows it.
    pub name: &'static str,
    /// The version that the name alone means.
    pub version: &'static str,
    /// The global that scripts find it under.
    pub global: &'static str,
    /// What it is for, in a few words.
    pub description: &'static str,
    /// The file within its npm package.
    pub file: &'static str,
}

/// All of them.
pub const CATALOG: [Library; 6] = [
    Library {
        name: "lodash",
        version: "4.17.21",
        global: "_",
        description: "helpers for arrays, objects, strings and functions",
        file: "lodash.min.js",
    },
    Library {
        name: "moment",
        version: "2.29.4",
        global: "moment",
        description: "dates and times: parsing, arithmetic, formatting",
        file: "min/moment.min.js",
    },
    Library {
        name: "axios",
        version: "1.6.0",
        global: "axios",
        description: "HTTP client on top of fetch",
        file: "dist/axios.min.js",
    },
    Library {
        name: "ramda",
        version: "0.29.0",
        global: "R",
        description: "functional programming: immutable data, curried functions",
        file: "dist/ramda.min.js",
    },
    Library {
        name: "dayjs",
        version: "1.11.10",
        global: "dayjs",
        description: "dates and times in 2 kB, with the interface of moment",
        file: "dayjs.min.js",
    },
    Library {
        name: "zustand",
        version: "4.4.7",
        global: "zustand",
        description: "a small state store; the build without React, so createStore",
        file: "vanilla.js",
    },
];

impl Library {
    /// `NAME-VERSION`, as templates and the cache know it.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// The library of this name, with its version or without.
#[must_use]
pub fn find(name: &str) -> Option<&'static Library> {
    CATALOG.iter().find(|library| name == library.name || name == library.full_name())
}
