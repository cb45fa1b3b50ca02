//! The operations on templates and their startup files.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};
use vm_model::{
    Settings, StartupFile, StartupFileId, Template, TemplateDetail, TemplateId, TemplateSettings, Timestamp,
};

use crate::{
    Store, StoreError,
    capabilities::capabilities,
    error::Failure,
    query::{Record, all, one},
    value::Json,
};

impl Store {
    /// Stores a new template.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::AlreadyExists) if its name is taken.
    pub fn insert_template(&self, template: &Template, settings: &Settings) -> Result<(), StoreError> {
        self.write(format_args!("store template {:?}", template.name), |db| {
            let inserted = db
                .prepare_cached(
                    "INSERT INTO templates (id, name, engine, is_active, settings, exposed_modules, libraries,
                         created_at, updated_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (name) DO NOTHING",
                )?
                .execute(params![
                    template.id.as_bytes(),
                    template.name,
                    template.engine,
                    template.is_active,
                    Json(settings),
                    Json(&template.exposed_modules),
                    Json(&template.libraries),
                    template.created_at.as_micros(),
                    template.updated_at.as_micros(),
                ])?;
            match inserted {
                0 => Err(Failure::taken(format!("a template named {:?}", template.name), None)),
                _ => Ok(()),
            }
        })
    }

    /// All templates, newest first.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn templates(&self) -> Result<Vec<Template>, StoreError> {
        self.read_apart("list the templates", |db| all(db, "SELECT * FROM templates ORDER BY n DESC", [], template))
    }

    /// A template with everything that belongs to it: its capabilities in the order in which they were made, and its
    /// startup files in the order in which they run. `None`: no template has this id.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn template(&self, id: TemplateId) -> Result<Option<Arc<TemplateDetail>>, StoreError> {
        self.known_templates.get(id, || {
            self.read_apart(format_args!("read template {id}"), |db| {
                let Some((template, settings)) = find(db, id)? else { return Ok(None) };
                detail(db, template, settings).map(Some)
            })
        })
    }

    /// Changes a template while nobody else does: `change` gets it as it is, and what it makes of it is stored, as
    /// updated now. An error of `change` leaves everything as it was.
    ///
    /// # Errors
    /// [`TemplateNotFound`](StoreError::TemplateNotFound), [`AlreadyExists`](crate::AlreadyExists) if its new name is
    /// taken, and what `change` fails with.
    pub fn update_template<E: From<StoreError>>(
        &self,
        id: TemplateId,
        change: impl FnOnce(&mut Template, &mut Settings) -> Result<(), E>,
    ) -> Result<TemplateDetail, E> {
        self.write_template(format_args!("change template {id}"), |db| {
            let Some((mut template, mut settings)) = find(db, id)? else {
                return Err(Failure::Refused(StoreError::TemplateNotFound(id)));
            };
            if let Err(error) = change(&mut template, &mut settings) {
                return Ok(Err(error));
            }
            template.updated_at = Timestamp::now();
            update(db, &template, &settings)?;
            detail(db, template, settings).map(Ok)
        })?
    }

    /// Deletes a template with its capabilities and startup files; sessions that were made from it stay. `false`: there
    /// was none.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn delete_template(&self, id: TemplateId) -> Result<bool, StoreError> {
        self.write_template(format_args!("delete template {id}"), |db| {
            Ok(db.prepare_cached("DELETE FROM templates WHERE id = ?1")?.execute([id.as_bytes()])? > 0)
        })
    }

    /// Stores a new startup file of a template.
    ///
    /// # Errors
    /// [`TemplateNotFound`](StoreError::TemplateNotFound), or [`AlreadyExists`](crate::AlreadyExists) if the template
    /// has a startup file of that path.
    pub fn insert_startup_file(&self, file: &StartupFile) -> Result<(), StoreError> {
        let template_id = file.vm_id;
        self.write_template(format_args!("store startup file {:?} of template {template_id}", file.path), |db| {
            let inserted = db
                .prepare_cached(
                    "INSERT INTO startup_files (id, template_id, path, order_index, mode)
                     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (template_id, path) DO NOTHING",
                )?
                .execute(params![file.id.as_bytes(), template_id.as_bytes(), file.path, file.order_index, file.mode])
                .map_err(|error| Failure::or_missing(error, StoreError::TemplateNotFound(template_id)))?;
            match inserted {
                0 => Err(Failure::taken(
                    format!("the startup file {:?} of template {template_id}", file.path),
                    Some(template_id),
                )),
                _ => Ok(()),
            }
        })
    }

    /// The startup files of a template in the order in which they run: by `order_index`, equal ones by creation. None
    /// if there is no such template.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn startup_files(&self, template_id: TemplateId) -> Result<Vec<StartupFile>, StoreError> {
        self.read_apart(format_args!("list the startup files of template {template_id}"), |db| {
            startup_files(db, template_id)
        })
    }

    /// Deletes one startup file of this template. `false`: the template has none of this id.
    ///
    /// # Errors
    /// Only those of the database itself.
    pub fn delete_startup_file(&self, template_id: TemplateId, id: StartupFileId) -> Result<bool, StoreError> {
        self.write_template(format_args!("delete startup file {id} of template {template_id}"), |db| {
            let deleted = db
                .prepare_cached("DELETE FROM startup_files WHERE id = ?1 AND template_id = ?2")?
                .execute([id.as_bytes(), template_id.as_bytes()])?;
            Ok(deleted > 0)
        })
    }
}

fn update(db: &Connection, template: &Template, settings: &Settings) -> Result<(), Failure> {
    // Of what is set here, only the name can be in conflict.
    let updated = db
        .prepare_cached(
            "UPDATE OR IGNORE templates SET name = ?2, is_active = ?3, settings = ?4, exposed_modules = ?5,
                 libraries = ?6, updated_at = ?7
             WHERE id = ?1",
        )?
        .execute(params![
            template.id.as_bytes(),
            template.name,
            template.is_active,
            Json(settings),
            Json(&template.exposed_modules),
            Json(&template.libraries),
            template.updated_at.as_micros(),
        ])?;
    match updated {
        0 => Err(Failure::taken(format!("a template named {:?}", template.name), None)),
        _ => Ok(()),
    }
}

fn find(db: &Connection, id: TemplateId) -> Result<Option<(Template, Settings)>, Failure> {
    one(db, "SELECT * FROM templates WHERE id = ?1", [id.as_bytes()], |row| Ok((template(row)?, settings(row)?)))
}

/// The template with what other tables have of it.
fn detail(db: &Connection, template: Template, settings: Settings) -> Result<TemplateDetail, Failure> {
    let (id, Settings { limits, resolver, runtime }) = (template.id, settings);
    Ok(TemplateDetail {
        template,
        settings: TemplateSettings { vm_id: id, limits, resolver, runtime },
        capabilities: capabilities(db, id)?,
        startup_files: startup_files(db, id)?,
    })
}

fn startup_files(db: &Connection, template_id: TemplateId) -> Result<Vec<StartupFile>, Failure> {
    let sql = "SELECT * FROM startup_files WHERE template_id = ?1 ORDER BY order_index, n";
    all(db, sql, [template_id.as_bytes()], startup_file)
}

fn template(row: &Row<'_>) -> Result<Template, Failure> {
    let row = Record { table: "templates", row };
    let Json(exposed_modules) = row.get("exposed_modules")?;
    let Json(libraries) = row.get("libraries")?;
    Ok(Template {
        id: TemplateId::from_bytes(row.get("id")?),
        name: row.get("name")?,
        engine: row.get("engine")?,
        is_active: row.get("is_active")?,
        exposed_modules,
        libraries,
        created_at: Timestamp::from_micros(row.get("created_at")?),
        updated_at: Timestamp::from_micros(row.get("updated_at")?),
    })
}

fn settings(row: &Row<'_>) -> Result<Settings, Failure> {
    let Json(settings) = Record { table: "templates", row }.get("settings")?;
    Ok(settings)
}

fn startup_file(row: &Row<'_>) -> Result<StartupFile, Failure> {
    let row = Record { table: "startup_files", row };
    Ok(StartupFile {
        id: StartupFileId::from_bytes(row.get("id")?),
        vm_id: TemplateId::from_bytes(row.get("template_id")?),
        path: row.get("path")?,
        order_index: row.get("order_index")?,
        mode: row.get("mode")?,
    })
}
