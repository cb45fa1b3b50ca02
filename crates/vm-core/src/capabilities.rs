//! The capabilities of templates.

use vm_model::{Capability, CapabilityId, CapabilityKind, NewCapability, TemplateId};
use vm_modules::catalog;

use crate::{Error, Templates, core::Parts, executions::required, templates::name};

impl Templates<'_> {
    /// Adds a capability. Sessions that were created before do not get it.
    ///
    /// # Errors
    /// An unknown template, kind or module, a name that is blank or taken, a config that is not what
    /// [`Grant`](vm_model::Grant) describes.
    pub async fn add_capability(&self, id: TemplateId, new: NewCapability) -> Result<Capability, Error> {
        let kind: CapabilityKind = required("kind", &new.kind)?.parse().map_err(Error::Validation)?;
        let name = match (kind, name(&new.name)?) {
            (CapabilityKind::Module, name) => catalog::find(name)?.name,
            (_, name) => name,
        };
        let (name, enabled, config) = (name.to_string(), new.enabled, new.config);
        let capability = Capability { id: CapabilityId::new(), vm_id: id, kind, name, enabled, config };
        capability.grant()?;
        self.0
            .blocking(move |parts| {
                parts.store.insert_capability(&capability)?;
                Ok(capability)
            })
            .await
    }

    /// A template's capabilities, in the order in which they were made.
    ///
    /// # Errors
    /// There is no such template.
    pub async fn capabilities(&self, id: TemplateId) -> Result<Vec<Capability>, Error> {
        Ok(self.get(id).await?.capabilities)
    }

    /// Takes a capability out of its template.
    ///
    /// # Errors
    /// The template has no such capability.
    pub async fn remove_capability(&self, template_id: TemplateId, capability_id: CapabilityId) -> Result<(), Error> {
        let delete = move |parts: &Parts| match parts.store.delete_capability(template_id, capability_id)? {
            true => Ok(()),
            false if parts.store.template(template_id)?.is_none() => Err(Error::TemplateNotFound(template_id)),
            false => Err(Error::CapabilityNotFound { template_id, capability_id }),
        };
        self.0.blocking(delete).await
    }
}
