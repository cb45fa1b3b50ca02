//! What a template lets its sessions do, gathered from its modules and its enabled capabilities.

use std::{collections::BTreeMap, env, sync::Arc, time::SystemTime};

use serde_json::{Map, Value};
use tokio::{runtime::Handle, sync::Notify};
use vm_engine::Setup;
use vm_model::{Grant, Limits, ModuleGrant, TemplateDetail};
use vm_modules::{
    DatabaseGrant, ExecGrant, FsGrant, FsRoot, Grants, HostCalls, Loader, Natives, Net, Worktree,
    catalog::{CATALOG, Module},
};

use crate::Error;

/// What a template lets its sessions do.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    natives: Grants,
    globals: Map<String, Value>,
    /// The daemon's variables that `process.env` shows, as they are at this moment.
    env: BTreeMap<String, String>,
    /// Where `fetch` may go; `None`: there is none.
    hosts: Option<Vec<String>>,
}

impl Policy {
    pub fn of(template: &TemplateDetail) -> Result<Self, Error> {
        let mut policy = Self::default();
        for module in &template.template.exposed_modules {
            policy.enable(module);
        }
        let mut roots = Vec::new();
        for capability in template.capabilities.iter().filter(|capability| capability.enabled) {
            match capability.grant()? {
                Grant::Module(module) => policy.narrow(module),
                Grant::Global { name, value } => {
                    policy.globals.insert(name, value);
                }
                Grant::Fs { roots: paths, write } => {
                    roots.extend(paths.into_iter().map(|path| FsRoot { path, write }));
                }
                Grant::Env { allow } => {
                    policy.env.extend(allow.into_iter().filter_map(|name| Some((name.clone(), env::var(name).ok()?))));
                }
                Grant::Net { hosts } => policy.hosts.get_or_insert_default().extend(hosts),
            }
        }
        if let Some(fs) = &mut policy.natives.fs {
            fs.roots = roots;
        }
        Ok(policy)
    }

    fn enable(&mut self, module: &str) {
        match module {
            "fs" => self.natives.fs = Some(FsGrant::default()),
            "exec" => self.natives.exec = Some(ExecGrant::default()),
            "database" => self.natives.database = Some(DatabaseGrant::default()),
            // the catalog has no others
            _ => {}
        }
    }

    /// A capability of kind `module` enables its module, and narrows it where the template has it anyway.
    fn narrow(&mut self, module: ModuleGrant) {
        match module {
            ModuleGrant::Fs => self.enable("fs"),
            ModuleGrant::Exec { allow } => self.natives.exec = Some(ExecGrant { allow }),
            ModuleGrant::Database { read_only } => self.natives.database = Some(DatabaseGrant { read_only }),
        }
    }

    pub fn env(&self) -> &BTreeMap<String, String> {
        &self.env
    }

    pub fn setup<'a>(&self, template: &'a TemplateDetail, created_at: SystemTime) -> Setup<'a> {
        Setup {
            limits: &template.settings.limits,
            created_at,
            console: template.settings.runtime.console,
            fetch: self.hosts.is_some(),
            globals: self.globals.clone(),
            env: self.env.clone(),
        }
    }

    /// The functions of the host that a session's scripts can call. Requests are made on `runtime`; `wake` is told when
    /// something has come that a script waits for.
    pub fn host_calls(
        &self,
        template: &TemplateDetail,
        worktree: &Arc<Worktree>,
        runtime: &Handle,
        wake: &Arc<Notify>,
    ) -> Result<HostCalls, Error> {
        let Limits { mem_mb, max_output_kb, .. } = template.settings.limits;
        let (max_answer, max_output) = (mem_mb << 20, max_output_kb << 10);
        let resolver = template.settings.resolver.clone();
        let net = self.hosts.as_ref().map(|hosts| {
            let wake = wake.clone();
            Net::new(hosts, runtime.clone(), Arc::new(move || wake.notify_one()))
        });
        Ok(HostCalls {
            loader: Loader::new(worktree.clone(), resolver, self.modules(), max_answer),
            natives: Natives::new(worktree.clone(), &self.natives)?,
            net,
            max_answer,
            max_output,
        })
    }

    fn modules(&self) -> Vec<&'static Module> {
        let Grants { fs, exec, database } = &self.natives;
        let is_granted = |module: &&Module| match module.name {
            "fs" => fs.is_some(),
            "exec" => exec.is_some(),
            name => name == "database" && database.is_some(),
        };
        CATALOG.iter().filter(is_granted).collect()
    }
}
