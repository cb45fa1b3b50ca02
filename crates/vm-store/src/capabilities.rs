//! The operations on the capabilities of templates.

use rusqlite::{Connection, Row, params};
use vm_model::{Capability, CapabilityId, TemplateId};

use crate::{
    Store, StoreError,
    error::Failure,
    query::{Record, all},
    value::{Json, Name},
};

impl Store {
    /// Stores a new capability of a template.
    ///
    /// # Errors
    /// [`TemplateNotFound`](StoreError::TemplateNotFound), or [`AlreadyExists`](crate::AlreadyExists) if the template
    /// has a capability of that kind and name.
    pub fn insert_capability(&self, capability: &Capability) -> Result<(), StoreError> {
        let Capability { id, vm_id: template_id, kind, name, enabled, config } = capability;
        self.write_template(format_args!("store capability {kind}:{name} of template {template_id}"), |db| {
            let inserted = db
                .prepare_cached(
                    "INSERT INTO capabilities (id, template_id, kind, name, enabled, config)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (template_id, kind, name) DO NOTHING",
                )?
                .execute(params![id.as_bytes(), template_id.as_bytes(), kind.as_str(), name, enabled, Json(config)])
                .map_err(|error| Failure::or_missing(error, StoreError::TemplateNotFound(*template_id)))?;
            match inserted {
                0 => {
                    let what = format!("the capability {kind}:{name} of template {template_id}");
                    Err(Failure::taken(what, Some(*template_id)))
                }
                _ => Ok(()),
            }
        })
    }

    /// Deletes one capability of this template. `false`: the template has none of this id.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn delete_capability(&self, template_id: TemplateId, id: CapabilityId) -> Result<bool, StoreError> {
        self.write_template(format_args!("delete capability {id} of template {template_id}"), |db| {
            let deleted = db
                .prepare_cached("DELETE FROM capabilities WHERE id = ?1 AND template_id = ?2")?
                .execute([id.as_bytes(), template_id.as_bytes()])?;
            Ok(deleted > 0)
        })
    }
}

/// The capabilities of a template, in the order in which they were made.
pub(crate) fn capabilities(db: &Connection, template_id: TemplateId) -> Result<Vec<Capability>, Failure> {
    let sql = "SELECT * FROM capabilities WHERE template_id = ?1 ORDER BY n";
    all(db, sql, [template_id.as_bytes()], capability)
}

fn capability(row: &Row<'_>) -> Result<Capability, Failure> {
    let row = Record { table: "capabilities", row };
    let Name(kind) = row.get("kind")?;
    let Json(config) = row.get("config")?;
    Ok(Capability {
        id: CapabilityId::from_bytes(row.get("id")?),
        vm_id: TemplateId::from_bytes(row.get("template_id")?),
        kind,
        name: row.get("name")?,
        enabled: row.get("enabled")?,
        config,
    })
}
