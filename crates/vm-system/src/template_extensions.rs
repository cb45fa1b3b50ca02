//! `template add-module`, `template add-library` and the like, and their catalogs.

use clap::{Args, Subcommand};
use serde::Serialize;
use vm_client::Client;
use vm_model::{Extension, ExtensionAdded, ExtensionRemoved, NewExtension};

use crate::{
    error::Error,
    output::{Output, json},
};

/// The commands of `vm-system template` that are about modules and libraries.
#[derive(Subcommand)]
pub enum ExtensionCommand {
    /// Let the sessions of a template require a native module
    AddModule(Named),
    /// Remove a native module from a template
    RemoveModule(Named),
    /// List the native modules of a template
    ListModules(Of),
    /// Load a library in every new session of a template
    AddLibrary(Named),
    /// Remove a library from a template
    RemoveLibrary(Named),
    /// List the libraries of a template
    ListLibraries(Of),
    /// Print all native modules that there are, as JSON
    ListAvailableModules,
    /// Print all libraries that need no version, as JSON
    ListAvailableLibraries,
}

/// The template, and what of it.
#[derive(Args)]
pub struct Named {
    /// The template
    #[arg(value_name = "TEMPLATE")]
    id: String,
    /// Its name; a library's also with a version, as in lodash-4.17.21
    #[arg(long)]
    name: String,
}

/// The template.
#[derive(Args)]
pub struct Of {
    /// The template
    #[arg(value_name = "TEMPLATE")]
    id: String,
}

impl ExtensionCommand {
    /// Makes the call and prints its answer.
    pub async fn run(self, client: &Client, output: Output) -> Result<(), Error> {
        match self {
            Self::AddModule(named) => add(client, output, Extension::Module, named).await,
            Self::RemoveModule(named) => remove(client, output, Extension::Module, named).await,
            Self::ListModules(of) => list(client, output, Extension::Module, of).await,
            Self::AddLibrary(named) => add(client, output, Extension::Library, named).await,
            Self::RemoveLibrary(named) => remove(client, output, Extension::Library, named).await,
            Self::ListLibraries(of) => list(client, output, Extension::Library, of).await,
            Self::ListAvailableModules => catalog(output, &client.catalog_modules().await?),
            Self::ListAvailableLibraries => catalog(output, &client.catalog_libraries().await?),
        }
    }
}

async fn add(client: &Client, output: Output, extension: Extension, Named { id, name }: Named) -> Result<(), Error> {
    let added = client.add_extension(id, extension, &NewExtension { name }).await?;
    output.print(&added, |ExtensionAdded { name, template_id }| {
        vec![format!("Added {extension}: {name} to template {template_id}")]
    })
}

async fn remove(client: &Client, output: Output, extension: Extension, Named { id, name }: Named) -> Result<(), Error> {
    let removed = client.remove_extension(id, extension, &name).await?;
    output.print(&removed, |ExtensionRemoved { name, template_id, .. }| {
        vec![format!("Removed {extension}: {name} from template {template_id}")]
    })
}

async fn list(client: &Client, output: Output, extension: Extension, Of { id }: Of) -> Result<(), Error> {
    output.print(&client.extensions(id, extension).await?, |names| match names.is_empty() {
        true => vec![format!("No {} found", extension.plural())],
        false => names.clone(),
    })
}

/// A catalog is JSON with `--json` and without.
fn catalog(output: Output, entries: &impl Serialize) -> Result<(), Error> {
    output.print(entries, |entries| vec![json(entries)])
}
