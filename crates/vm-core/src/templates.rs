//! Templates: what sessions are stamped from.

use std::sync::Arc;

use vm_model::{
    NewStartupFile, NewTemplate, Settings, StartupFile, StartupFileId, Template, TemplateDetail, TemplateId,
    TemplatePatch, Timestamp,
};

use crate::{
    Core, Error,
    catalog::{DEFAULT_ENGINE, is_engine},
    core::Parts,
    executions::required,
};

const STARTUP_MODE: &str = "eval";

/// See [`Core::templates`].
pub struct Templates<'a>(pub(crate) &'a Core);

impl Templates<'_> {
    /// Saves a new template.
    ///
    /// # Errors
    /// A name that is blank, has control characters or is taken, an unknown engine, settings that are not acceptable.
    pub async fn create(&self, new: NewTemplate) -> Result<Template, Error> {
        let name = name(&new.name)?.to_string();
        let engine = new.engine.unwrap_or_else(|| DEFAULT_ENGINE.into());
        if !is_engine(&engine) {
            return Err(Error::EngineUnsupported(engine));
        }
        let settings = match new.settings {
            Some(patch) => Settings::default().merged(&patch)?,
            None => Settings::default(),
        };
        let now = Timestamp::now();
        let template = Template {
            id: TemplateId::new(),
            name,
            engine,
            is_active: true,
            exposed_modules: Vec::new(),
            libraries: Vec::new(),
            created_at: now,
            updated_at: now,
        };
        self.0
            .blocking(move |parts| {
                parts.store.insert_template(&template, &settings)?;
                Ok(template)
            })
            .await
    }

    /// All templates, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list(&self) -> Result<Vec<Template>, Error> {
        self.0.blocking(|parts| Ok(parts.store.templates()?)).await
    }

    /// A template with everything that belongs to it.
    ///
    /// # Errors
    /// There is none of this id.
    pub async fn get(&self, id: TemplateId) -> Result<TemplateDetail, Error> {
        let get = move |parts: &Parts| parts.store.template(id)?.ok_or(Error::TemplateNotFound(id));
        self.0.blocking(get).await.map(Arc::unwrap_or_clone)
    }

    /// Changes what the patch names, and nothing else. Sessions that were created before do not notice.
    ///
    /// # Errors
    /// There is no such template; or as with [`Templates::create`], and then nothing is changed.
    pub async fn update(&self, id: TemplateId, patch: TemplatePatch) -> Result<TemplateDetail, Error> {
        let new_name = patch.name.map(|given| name(&given).map(str::to_string)).transpose()?;
        let apply = move |template: &mut Template, settings: &mut Settings| {
            if let Some(name) = new_name {
                template.name = name;
            }
            if let Some(is_active) = patch.is_active {
                template.is_active = is_active;
            }
            if let Some(patch) = patch.settings {
                *settings = settings.merged(&patch)?;
            }
            Ok(())
        };
        self.change(id, apply).await
    }

    /// Changes a template in one transaction.
    pub(crate) async fn change(
        &self,
        id: TemplateId,
        change: impl FnOnce(&mut Template, &mut Settings) -> Result<(), Error> + Send + 'static,
    ) -> Result<TemplateDetail, Error> {
        self.0.blocking(move |parts| parts.store.update_template(id, change)).await
    }

    /// Deletes a template and what belongs to it; its sessions keep running.
    ///
    /// # Errors
    /// There is none of this id.
    pub async fn delete(&self, id: TemplateId) -> Result<(), Error> {
        let delete = move |parts: &Parts| match parts.store.delete_template(id)? {
            true => Ok(()),
            false => Err(Error::TemplateNotFound(id)),
        };
        self.0.blocking(delete).await
    }

    /// Adds a script that runs when a session is created. Whether the file exists is known only then.
    ///
    /// # Errors
    /// An unknown template or mode, a path that is empty, absolute, leads upwards, or is taken.
    pub async fn add_startup_file(&self, id: TemplateId, new: NewStartupFile) -> Result<StartupFile, Error> {
        if new.path.trim().is_empty() {
            return Err(Error::Validation("path is required and must not be blank".into()));
        }
        let mode = new.mode.unwrap_or_else(|| STARTUP_MODE.into());
        if mode != STARTUP_MODE {
            return Err(Error::StartupModeUnsupported(mode));
        }
        let path =
            vm_modules::normalise(&new.path).map_err(|reason| Error::InvalidPath { path: new.path.clone(), reason })?;
        let file = StartupFile { id: StartupFileId::new(), vm_id: id, path, order_index: new.order_index, mode };
        self.0
            .blocking(move |parts| {
                parts.store.insert_startup_file(&file)?;
                Ok(file)
            })
            .await
    }

    /// A template's startup files, in the order in which they run.
    ///
    /// # Errors
    /// There is no such template.
    pub async fn startup_files(&self, id: TemplateId) -> Result<Vec<StartupFile>, Error> {
        Ok(self.get(id).await?.startup_files)
    }

    /// Takes a startup file out of its template.
    ///
    /// # Errors
    /// The template has no such file.
    pub async fn remove_startup_file(&self, template_id: TemplateId, file_id: StartupFileId) -> Result<(), Error> {
        let delete = move |parts: &Parts| match parts.store.delete_startup_file(template_id, file_id)? {
            true => Ok(()),
            false if parts.store.template(template_id)?.is_none() => Err(Error::TemplateNotFound(template_id)),
            false => Err(Error::StartupFileNotFound { template_id, file_id }),
        };
        self.0.blocking(delete).await
    }
}

/// A name as it is stored: trimmed, and such that it can be shown on one line.
pub(crate) fn name(given: &str) -> Result<&str, Error> {
    let name = required("name", given)?.trim();
    if name.contains(char::is_control) {
        return Err(Error::Validation(format!("name {name:?} has control characters; leave them out")));
    }
    Ok(name)
}
