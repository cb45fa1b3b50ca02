//! `template add-capability` and the like.

use clap::{ArgAction, Subcommand};
use serde_json::{Map, Value};
use vm_client::Client;
use vm_model::{Capability, NewCapability};

use crate::{
    error::Error,
    output::{Output, json},
    table::table,
};

/// The commands of `vm-system template` that are about capabilities.
#[derive(Subcommand)]
pub enum CapabilityCommand {
    /// Give a permission to the sessions of a template, or narrow one
    AddCapability {
        /// The template
        #[arg(value_name = "TEMPLATE")]
        id: String,
        /// module, global, fs, net or env
        #[arg(long)]
        kind: String,
        /// Its name; of kind module the module, of kind global the variable
        #[arg(long)]
        name: String,
        /// What is given, such as {"roots":["/srv/data"],"write":false} of kind fs
        #[arg(long, value_name = "JSON", value_parser = config, default_value = "{}")]
        config: Map<String, Value>,
        /// A disabled capability does nothing
        #[arg(long, value_name = "BOOL", action = ArgAction::Set, default_value_t = true)]
        enabled: bool,
    },
    /// List the capabilities of a template, in the order in which they were made
    ListCapabilities {
        /// The template
        #[arg(value_name = "TEMPLATE")]
        id: String,
    },
    /// Remove a capability from a template
    RemoveCapability {
        /// The template
        #[arg(value_name = "TEMPLATE")]
        id: String,
        /// The capability's id, as list-capabilities shows it
        #[arg(value_name = "CAPABILITY")]
        capability: String,
    },
}

impl CapabilityCommand {
    /// Makes the call and prints its answer.
    pub async fn run(self, client: &Client, output: Output) -> Result<(), Error> {
        match self {
            Self::AddCapability { id, kind, name, config, enabled } => {
                let new = NewCapability { kind, name, enabled, config };
                output.print(&client.add_capability(id, &new).await?, |Capability { kind, name, vm_id, .. }| {
                    vec![format!("Added capability: {kind}:{name} to template {vm_id}")]
                })
            }
            Self::ListCapabilities { id } => {
                output.print(&client.capabilities(id).await?, |capabilities| capability_table(capabilities))
            }
            Self::RemoveCapability { id, capability } => remove(client, output, &id, &capability).await,
        }
    }
}

/// The answer names the id alone, so what it was called is asked before it is gone.
async fn remove(client: &Client, output: Output, template: &str, capability: &str) -> Result<(), Error> {
    let known = client.capabilities(template).await?;
    let removed = client.remove_capability(template, capability).await?;
    output.print(&removed, |removed| {
        let called = known.iter().find(|known| known.id == removed.capability_id);
        let called = called.map_or_else(|| removed.capability_id.to_string(), |it| format!("{}:{}", it.kind, it.name));
        vec![format!("Removed capability: {called} from template {}", removed.template_id)]
    })
}

pub fn capability_table(capabilities: &[Capability]) -> Vec<String> {
    let row = |capability: &Capability| {
        let Capability { id, kind, name, enabled, config, .. } = capability;
        [id.to_string(), kind.to_string(), name.clone(), enabled.to_string(), json(config)]
    };
    table(["ID", "KIND", "NAME", "ENABLED", "CONFIG"], capabilities.iter().map(row), "No capabilities found")
}

fn config(text: &str) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_str(text)
}
