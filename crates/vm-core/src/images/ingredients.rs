//! All that libraries and startup files could see, but for what they read of the worktree.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};
use vm_model::{Capability, TemplateDetail, TemplateSettings};
use vm_modules::Worktree;

use crate::{core::Parts, executions::read_source, policy::Policy};

/// The hash of ingredients.
pub(crate) type Key = [u8; 32];

/// What a template says about it.
#[derive(Serialize)]
struct Seen<'a> {
    settings: &'a TemplateSettings,
    modules: &'a [String],
    libraries: &'a [String],
    capabilities: &'a [Capability],
    env: &'a BTreeMap<String, String>,
}

/// Nothing where there is nothing to run, or a library or a startup file cannot be read: whoever runs it says so.
pub(crate) fn key(parts: &Parts, template: &TemplateDetail, worktree: &Worktree) -> Option<Key> {
    if !has_startup(template) {
        return None;
    }
    let policy = Policy::of(template).ok()?;
    let seen = Seen {
        settings: &template.settings,
        modules: &template.template.exposed_modules,
        libraries: &template.template.libraries,
        capabilities: &template.capabilities,
        env: policy.env(),
    };
    let mut hash = Sha256::new();
    hash.update(parts.engine.identity());
    // what this program adds to libraries, and how it answers scripts
    add(&mut hash, env!("CARGO_PKG_VERSION").as_bytes());
    add(&mut hash, &serde_json::to_vec(&seen).ok()?);
    for library in &template.template.libraries {
        hash.update(parts.library_hashes.get(&parts.library_cache, library).ok()?);
    }
    for file in &template.startup_files {
        add(&mut hash, file.path.as_bytes());
        add(&mut hash, &read_source(worktree, &template.settings.limits, &file.path).ok()?);
    }
    Some(hash.finalize().into())
}

/// Whether sessions of this template run anything when they start.
pub(crate) fn has_startup(template: &TemplateDetail) -> bool {
    !template.template.libraries.is_empty() || !template.startup_files.is_empty()
}

/// With its length, so that two parts cannot be taken for two others.
fn add(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}
