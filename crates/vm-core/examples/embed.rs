//! A session without a daemon: `cargo run -p vm-core --example embed`.

use std::path::PathBuf;

use vm_core::{Config, Core, Error, Executor};
use vm_model::{NewSession, NewTemplate, ReplRequest};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let executor = Executor::new()?;
    Ok(executor.block_on(run(folder.path().to_path_buf(), executor.clone()))??)
}

async fn run(folder: PathBuf, executor: Executor) -> Result<(), Error> {
    let config = Config {
        database: folder.join("embed.db"),
        code_cache: std::env::temp_dir().join("vm-system-embed"),
        library_cache: folder.join("libraries"),
        parallel: None,
        max_memory: None,
        hibernate_after: std::time::Duration::from_secs(300),
        retention: vm_core::Retention::default(),
    };
    let core = Core::open(config, &executor).await?;
    let template = core.templates().create(NewTemplate { name: "embedded".into(), ..NewTemplate::default() }).await?;
    let new = NewSession {
        template_id: template.id.to_string(),
        workspace_id: "example".into(),
        base_commit_oid: "none".into(),
        worktree_path: folder,
    };
    let session = core.sessions().create(new).await?;
    for input in ["var words = ['state']", "words.push('carries', 'over')", "words.join(' ')"] {
        let request = ReplRequest { session_id: session.id.to_string(), input: input.into() };
        let execution = core.executions().repl(request).await?;
        let shown = execution.result.map(|value| value.preview);
        println!("{input:35} => {}", shown.as_deref().unwrap_or("no value"));
    }
    core.shutdown().await;
    Ok(())
}
