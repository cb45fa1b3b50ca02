//! Templates as they were last read: every new session asks for one, and they rarely change.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use vm_model::{TemplateDetail, TemplateId};

use crate::StoreError;

/// So many are known at most.
const MOST: usize = 1000;

#[derive(Default)]
pub(crate) struct KnownTemplates(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// How often they have been forgotten.
    generation: u64,
    templates: HashMap<TemplateId, Arc<TemplateDetail>>,
}

impl KnownTemplates {
    /// The template, or else what `read` finds.
    pub fn get(
        &self,
        id: TemplateId,
        read: impl FnOnce() -> Result<Option<TemplateDetail>, StoreError>,
    ) -> Result<Option<Arc<TemplateDetail>>, StoreError> {
        let known = self.lock();
        if let Some(template) = known.templates.get(&id) {
            return Ok(Some(template.clone()));
        }
        let generation = known.generation;
        drop(known);
        let found = read()?.map(Arc::new);
        let mut known = self.lock();
        // What was read may be older than a change that others have finished meanwhile.
        if let Some(template) = &found
            && known.generation == generation
            && known.templates.len() < MOST
        {
            known.templates.insert(id, template.clone());
        }
        Ok(found)
    }

    /// After every change to any of them.
    pub fn forget(&self) {
        let mut known = self.lock();
        known.generation += 1;
        known.templates.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A template, for tests.
#[cfg(test)]
pub(crate) fn detail(name: &str) -> TemplateDetail {
    use vm_model::{Settings, Template, TemplateSettings, Timestamp};

    let (id, now) = (TemplateId::new(), Timestamp::now());
    let Settings { limits, resolver, runtime } = Settings::default();
    TemplateDetail {
        template: Template {
            id,
            name: name.into(),
            engine: "quickjs".into(),
            is_active: true,
            exposed_modules: Vec::new(),
            libraries: Vec::new(),
            created_at: now,
            updated_at: now,
        },
        settings: TemplateSettings { vm_id: id, limits, resolver, runtime },
        capabilities: Vec::new(),
        startup_files: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let known = KnownTemplates::default();
        let id = TemplateId::new();
        let name = |found: Option<Arc<TemplateDetail>>| found.unwrap().template.name.clone();
        let old = known.get(id, || {
            let read = detail("old");
            known.forget();
            Ok(Some(read))
        });
        assert_eq!(name(old.unwrap()), "old");
        assert_eq!(name(known.get(id, || Ok(Some(detail("new")))).unwrap()), "new");
        assert_eq!(name(known.get(id, || panic!("it is known")).unwrap()), "new");
        known.forget();
        assert!(known.get(id, || Ok(None)).unwrap().is_none());
    }
}
