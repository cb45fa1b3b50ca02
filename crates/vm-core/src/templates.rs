//! Templates: what sessions are stamped from.

use vm_model::{
    NewStartupFile, NewTemplate, Settings, StartupFile, StartupFileId, Template, TemplateDetail, TemplateId, Timestamp,
};

use crate::{Core, Error};

/// `goja` is an alias: scripts written for the first implementation ask for it.
const ENGINES: [&str; 2] = ["quickjs", "goja"];
const STARTUP_MODE: &str = "eval";

/// See [`Core::templates`].
pub struct Templates<'a>(pub(crate) &'a Core);

impl Templates<'_> {
    /// Saves a new template.
    ///
    /// # Errors
    /// A blank or taken name, an unknown engine, settings that are not acceptable.
    pub async fn create(&self, new: NewTemplate) -> Result<Template, Error> {
        let name = new.name.trim().to_string();
        if name.is_empty() {
            return Err(Error::Validation("name is required and must not be blank".into()));
        }
        let engine = new.engine.unwrap_or_else(|| ENGINES[0].into());
        if !ENGINES.contains(&engine.as_str()) {
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
        self.0.blocking(move |parts| parts.store.template(id)?.ok_or(Error::TemplateNotFound(id))).await
    }

    /// Deletes a template and what belongs to it; its sessions keep running.
    ///
    /// # Errors
    /// There is none of this id.
    pub async fn delete(&self, id: TemplateId) -> Result<(), Error> {
        let delete = move |parts: &crate::core::Parts| match parts.store.delete_template(id)? {
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
        let delete = move |parts: &crate::core::Parts| match parts.store.delete_startup_file(template_id, file_id)? {
            true => Ok(()),
            false if parts.store.template(template_id)?.is_none() => Err(Error::TemplateNotFound(template_id)),
            false => Err(Error::StartupFileNotFound { template_id, file_id }),
        };
        self.0.blocking(delete).await
    }
}
