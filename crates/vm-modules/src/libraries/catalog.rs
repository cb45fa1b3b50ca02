//! The libraries that a template can name without a version.

use sha2::{Digest, Sha256};

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
    /// The SHA-256 of that file, in hexadecimal digits.
    pub sha256: &'static str,
    /// What is run behind it, to make it at home here.
    pub setup: Option<&'static str>,
}

/// All of them.
pub const CATALOG: [Library; 6] = [
    Library {
        name: "lodash",
        version: "4.17.21",
        global: "_",
        description: "helpers for arrays, objects, strings and functions",
        file: "lodash.min.js",
        sha256: "a9705dfc47c0763380d851ab1801be6f76019f6b67e40e9b873f8b4a0603f7a9",
        setup: None,
    },
    Library {
        name: "moment",
        version: "2.29.4",
        global: "moment",
        description: "dates and times: parsing, arithmetic, formatting",
        file: "min/moment.min.js",
        sha256: "f343aa319a17a3fc372ee6ad5af482b9bf6a298cb22652b4aa7502604821071f",
        setup: None,
    },
    Library {
        name: "axios",
        version: "1.6.0",
        global: "axios",
        description: "HTTP client on top of fetch",
        file: "dist/axios.min.js",
        sha256: "1dc60b613493f242077201a552d894e8b6bbf844396e92206441a3772e19f8d5",
        setup: Some(include_str!("axios_adapter.js")),
    },
    Library {
        name: "ramda",
        version: "0.29.0",
        global: "R",
        description: "functional programming: immutable data, curried functions",
        file: "dist/ramda.min.js",
        sha256: "e91c541907b48e76a332ac086fb7996bf778312379d610ce9b5136c59d1d1ca6",
        setup: None,
    },
    Library {
        name: "dayjs",
        version: "1.11.10",
        global: "dayjs",
        description: "dates and times in 2 kB, with the interface of moment",
        file: "dayjs.min.js",
        sha256: "9cfdb93f38afcf2d076abecd66d32bfd3383cdf1967654ebc26a26605daf4173",
        setup: None,
    },
    Library {
        name: "zustand",
        version: "4.4.7",
        global: "zustand",
        description: "a small state store; the build without React, so createStore",
        file: "vanilla.js",
        sha256: "389c1bd82c3a654189315144e814f4e49a45693182b932ff290bd034306d7c62",
        setup: None,
    },
];

impl Library {
    /// `NAME-VERSION`, as templates and the cache know it.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Whether this is the library's file and not another one.
    ///
    /// # Errors
    /// The content's own SHA-256, if it is not the pinned one.
    pub fn verify(&self, content: &[u8]) -> Result<(), String> {
        let found: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        if found == self.sha256 { Ok(()) } else { Err(found) }
    }
}

/// The library of this name, with its version or without.
#[must_use]
pub fn find(name: &str) -> Option<&'static Library> {
    CATALOG.iter().find(|library| name == library.name || name == library.full_name())
}
