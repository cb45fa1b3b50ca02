//! The modules and libraries of templates.

use vm_model::{Extension, Template, TemplateId};
use vm_modules::{catalog, libraries::file_name};

use crate::{Error, Templates, templates::name};

impl Templates<'_> {
    /// Adds a module or library, unless the template has it; returns its name in lower case. Whether a library's file
    /// is there is known only when a session is created.
    ///
    /// # Errors
    /// There is no such template or module, or the name can be that of no library.
    pub async fn add_extension(&self, id: TemplateId, extension: Extension, given: &str) -> Result<String, Error> {
        let name = name(given)?.to_lowercase();
        match extension {
            Extension::Module => drop(catalog::find(&name)?),
            Extension::Library => drop(file_name(&name)?),
        }
        let added = name.clone();
        let add = move |template: &mut Template, _: &mut _| {
            let names = names(template, extension);
            if !names.iter().any(|known| is_same(known, &name)) {
                names.push(name);
            }
            Ok(())
        };
        self.change(id, add).await?;
        Ok(added)
    }

    /// A template's modules or libraries, in the order in which they were added.
    ///
    /// # Errors
    /// There is no such template.
    pub async fn extensions(&self, id: TemplateId, extension: Extension) -> Result<Vec<String>, Error> {
        let mut detail = self.get(id).await?;
        Ok(std::mem::take(names(&mut detail.template, extension)))
    }

    /// Takes a module or library out of its template, if it is there; returns its name in lower case.
    ///
    /// # Errors
    /// There is no such template.
    pub async fn remove_extension(&self, id: TemplateId, extension: Extension, given: &str) -> Result<String, Error> {
        let name = given.trim().to_lowercase();
        let removed = name.clone();
        let remove = move |template: &mut Template, _: &mut _| {
            names(template, extension).retain(|known| !is_same(known, &name));
            Ok(())
        };
        self.change(id, remove).await?;
        Ok(removed)
    }
}

fn names(template: &mut Template, extension: Extension) -> &mut Vec<String> {
    match extension {
        Extension::Module => &mut template.exposed_modules,
        Extension::Library => &mut template.libraries,
    }
}

/// Whether two names mean one thing, as `lodash` and `lodash-4.17.21` do.
fn is_same(one: &str, other: &str) -> bool {
    one == other || file_name(one).is_ok_and(|file| file_name(other) == Ok(file))
}
