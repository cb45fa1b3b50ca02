//! `template …`

use std::str::FromStr;

use clap::Subcommand;
use serde_json::Value;
use vm_client::Client;
use vm_model::{NewStartupFile, NewTemplate, StartupFile, StartupFileDeleted, Template, TemplateDetail, TemplatePatch};

use crate::{
    error::Error,
    output::{Output, json},
    table::{fitted, table},
    template_capabilities::{CapabilityCommand, capability_table},
    template_extensions::ExtensionCommand,
};

/// `vm-system template …`
#[derive(Subcommand)]
pub enum TemplateCommand {
    /// Create a template
    Create {
        /// Its name; no other template may have it
        #[arg(long)]
        name: String,
        /// The JavaScript engine: quickjs, or its alias goja [default: quickjs]
        #[arg(long)]
        engine: Option<String>,
        /// What differs from the default settings, such as {"limits":{"wall_ms":1000}}
        #[arg(long, value_name = "JSON", value_parser = Value::from_str)]
        settings: Option<Value>,
    },
    /// List all templates, newest first
    List,
    /// Show a template with everything that belongs to it
    Get {
        /// The template
        #[arg(value_name = "TEMPLATE")]
        id: String,
    },
    /// Change a template; sessions made from it before stay as they are
    Update {
        /// The template
        #[arg(value_name = "TEMPLATE")]
        id: String,
        /// Its new name; no other template may have it
        #[arg(long)]
        name: Option<String>,
        /// Whether new sessions can be made from it
        #[arg(long, value_name = "BOOL")]
        active: Option<bool>,
        /// The limits that change, such as {"wall_ms":1000}
        #[arg(long, value_name = "JSON", value_parser = Value::from_str)]
        limits: Option<Value>,
        /// The resolver settings that change, such as {"roots":["src"]}
        #[arg(long, value_name = "JSON", value_parser = Value::from_str)]
        resolver: Option<Value>,
        /// The runtime settings that change, such as {"esm":true}
        #[arg(long, value_name = "JSON", value_parser = Value::from_str)]
        runtime: Option<Value>,
    },
    /// Delete a template; sessions made from it live on
    Delete {
        /// The template
        #[arg(value_name = "TEMPLATE")]
        id: String,
    },
    /// Add a file that runs in every new session of a template
    AddStartup {
        /// The template
        #[arg(value_name = "TEMPLATE")]
        id: String,
        /// The file, relative to the session's worktree
        #[arg(long)]
        path: String,
        /// Files run in ascending order
        #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
        order: i64,
        /// How the file is run: eval [default: eval]
        #[arg(long)]
        mode: Option<String>,
    },
    /// List the startup files of a template, in the order in which they run
    ListStartup {
        /// The template
        #[arg(value_name = "TEMPLATE")]
        id: String,
    },
    /// Remove a startup file from a template
    RemoveStartup {
        /// The template
        #[arg(value_name = "TEMPLATE")]
        id: String,
        /// The startup file's id, as list-startup shows it
        #[arg(value_name = "FILE")]
        file: String,
    },
    #[command(flatten)]
    Capability(CapabilityCommand),
    #[command(flatten)]
    Extension(ExtensionCommand),
}

impl TemplateCommand {
    /// Makes the call and prints its answer.
    pub async fn run(self, client: &Client, output: Output) -> Result<(), Error> {
        match self {
            Self::Create { name, engine, settings } => {
                let template = client.create_template(&NewTemplate { name, engine, settings }).await?;
                output.print(&template, |new| vec![format!("Created template: {} (ID: {})", new.name, new.id)])
            }
            Self::List => output.print(&client.templates().await?, |templates| template_table(templates)),
            Self::Get { id } => output.print(&client.template(id).await?, template_block),
            Self::Update { id, name, active, limits, resolver, runtime } => {
                let given = [("limits", limits), ("resolver", resolver), ("runtime", runtime)];
                let settings = given.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
                let patch = TemplatePatch { name, is_active: active, settings: Some(settings) };
                output.print(&client.update_template(id, &patch).await?, |TemplateDetail { template, .. }| {
                    vec![format!("Updated template: {} (ID: {})", template.name, template.id)]
                })
            }
            Self::Delete { id } => {
                let deleted = client.delete_template(id).await?;
                output.print(&deleted, |deleted| vec![format!("Deleted template: {}", deleted.template_id)])
            }
            Self::AddStartup { id, path, order, mode } => {
                let new = NewStartupFile { path, order_index: order, mode };
                output.print(
                    &client.add_startup_file(id, &new).await?,
                    |StartupFile { path, order_index, vm_id, .. }| {
                        vec![format!("Added startup file: {path} (order: {order_index}) to template {vm_id}")]
                    },
                )
            }
            Self::ListStartup { id } => output.print(&client.startup_files(id).await?, |files| file_table(files)),
            Self::RemoveStartup { id, file } => {
                let removed = client.remove_startup_file(id, file).await?;
                output.print(&removed, |StartupFileDeleted { file_id, template_id, .. }| {
                    vec![format!("Removed startup file: {file_id} from template {template_id}")]
                })
            }
            Self::Capability(command) => command.run(client, output).await,
            Self::Extension(command) => command.run(client, output).await,
        }
    }
}

fn template_table(templates: &[Template]) -> Vec<String> {
    let row = |template: &Template| {
        let Template { id, name, engine, is_active, created_at, .. } = template;
        [id.to_string(), name.clone(), engine.clone(), is_active.to_string(), created_at.to_string()]
    };
    table(["ID", "NAME", "ENGINE", "ACTIVE", "CREATED"], templates.iter().map(row), "No templates found")
}

fn file_table(files: &[StartupFile]) -> Vec<String> {
    let row =
        |file: &StartupFile| [file.id.to_string(), file.order_index.to_string(), file.mode.clone(), file.path.clone()];
    table(["ID", "ORDER", "MODE", "PATH"], files.iter().map(row), "No startup files found")
}

fn template_block(detail: &TemplateDetail) -> Vec<String> {
    let TemplateDetail { template, settings, capabilities, startup_files } = detail;
    let mut lines = vec![
        format!("Template ID: {}", template.id),
        format!("Name: {}", template.name),
        format!("Engine: {}", template.engine),
        format!("Active: {}", template.is_active),
        format!("Modules: {}", json(&template.exposed_modules)),
        format!("Libraries: {}", json(&template.libraries)),
        format!("Created: {}", template.created_at),
        format!("Updated: {}", template.updated_at),
        String::new(),
        "Settings:".into(),
        format!("  Limits: {}", json(&settings.limits)),
        format!("  Resolver: {}", json(&settings.resolver)),
        format!("  Runtime: {}", json(&settings.runtime)),
    ];
    for (heading, table) in
        [("Capabilities:", capability_table(capabilities)), ("Startup files:", file_table(startup_files))]
    {
        lines.extend([String::new(), heading.into()]);
        lines.extend(table.iter().map(|line| fitted(format!("  {line}"))));
    }
    lines
}
