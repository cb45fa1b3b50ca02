//! Templates as sessions keep them: most sessions of one have the same, which is written and read as JSON once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Error, Row};
use vm_model::{TemplateDetail, TemplateId};

use crate::{error::Failure, query::Record};

/// So many are kept at most.
const MOST: usize = 1000;

/// Of each template what was asked for last.
#[derive(Default)]
pub(crate) struct SharedTemplates(Mutex<HashMap<TemplateId, Shared>>);

#[derive(Clone)]
struct Shared {
    template: Arc<TemplateDetail>,
    json: Arc<str>,
}

impl SharedTemplates {
    /// Its JSON.
    pub fn write(&self, template: &Arc<TemplateDetail>) -> Result<Arc<str>, Failure> {
        let id = template.template.id;
        if let Some(shared) = self.lock().get(&id).filter(|shared| Arc::ptr_eq(&shared.template, template)) {
            return Ok(shared.json.clone());
        }
        let json = serde_json::to_string(template.as_ref());
        let json: Arc<str> = json.map_err(|error| Error::ToSqlConversionFailure(error.into()))?.into();
        self.keep(id, Shared { template: template.clone(), json: json.clone() });
        Ok(json)
    }

    /// The one in a row of `sessions`.
    pub fn of_session(&self, row: &Row<'_>) -> Result<Arc<TemplateDetail>, Failure> {
        let (table, column) = ("sessions", "template");
        let row = Record { table, row };
        let (id, json): (_, String) = (TemplateId::from_bytes(row.get("template_id")?), row.get(column)?);
        let damaged = |error| Failure::Damaged { table, column, why: format!("cannot be read ({error})") };
        self.read(id, &json).map_err(damaged)
    }

    /// The template of this id with this JSON.
    fn read(&self, id: TemplateId, json: &str) -> serde_json::Result<Arc<TemplateDetail>> {
        if let Some(shared) = self.lock().get(&id).filter(|shared| *shared.json == *json) {
            return Ok(shared.template.clone());
        }
        let template: Arc<TemplateDetail> = Arc::new(serde_json::from_str(json)?);
        self.keep(id, Shared { template: template.clone(), json: json.into() });
        Ok(template)
    }

    fn keep(&self, id: TemplateId, shared: Shared) {
        let mut kept = self.lock();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(id, shared);
    }

    /// It is whole between any two statements.
    fn lock(&self) -> MutexGuard<'_, HashMap<TemplateId, Shared>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known_templates::detail;

    #[test]
    fn what_is_the_same_is_shared_and_nothing_else() {
        let shared = SharedTemplates::default();
        let one = Arc::new(detail("one"));
        let mut edited = one.as_ref().clone();
        edited.template.name = "edited".into();
        let edited = Arc::new(edited);
        for template in [&one, &edited, &one] {
            let json = shared.write(template).ok().unwrap();
            assert_eq!(*json, serde_json::to_string(template.as_ref()).unwrap());
            assert!(Arc::ptr_eq(&shared.write(template).ok().unwrap(), &json));
            assert!(Arc::ptr_eq(&shared.read(one.template.id, &json).unwrap(), template));
        }
        let json = serde_json::to_string(edited.as_ref()).unwrap();
        let read = shared.read(one.template.id, &json).unwrap();
        assert_eq!(read, edited);
        assert!(Arc::ptr_eq(&shared.read(one.template.id, &json).unwrap(), &read));
        assert!(shared.read(one.template.id, "{}").is_err());
    }
}
