//! What can be typed: the global flags and the commands, every flag with its environment variable.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, builder};
use tokio::runtime::Builder;
use vm_client::Client;
use vm_model::Token;

use crate::{
    completions::Completions,
    error::Error,
    exec::ExecCommand,
    help::Help,
    libs::LibsCommand,
    logging::{self, LogFormat},
    ops::OpsCommand,
    output::Output,
    serve::Serve,
    session::SessionCommand,
    template::TemplateCommand,
};

/// JavaScript sessions that live in a daemon, keep their state, and record every run.
#[derive(Parser)]
#[command(name = "vm-system", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// The daemon's SQLite file; made if it does not exist
    #[arg(long, global = true, value_name = "PATH", default_value = "vm-system.db")]
    db: PathBuf,
    /// Where the daemon answers
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:3210")]
    server_url: String,
    /// The secret that the daemon demands of its callers; better given as VM_SYSTEM_TOKEN, since others may see flags
    #[arg(long, global = true, value_name = "TOKEN")]
    token: Option<String>,
    /// What to log on standard error: error, warn, info, debug, trace or off; also per module, as in info,vm_core=debug
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info", value_parser = logging::parse_level)]
    log_level: String,
    /// Print the API's JSON, on one line
    #[arg(long, global = true, value_parser = builder::BoolishValueParser::new())]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon that the other commands talk to
    Serve(Serve),
    /// Manage templates: what a session is made of
    #[command(subcommand)]
    Template(TemplateCommand),
    /// Manage sessions: live runtimes that keep their state
    #[command(subcommand)]
    Session(SessionCommand),
    /// Run code in a session, and look at what was run
    #[command(subcommand)]
    Exec(ExecCommand),
    /// Look at the daemon itself
    #[command(subcommand)]
    Ops(OpsCommand),
    /// Manage the cache of JavaScript libraries that templates can name
    #[command(subcommand)]
    Libs(LibsCommand),
    /// Read about a topic, or about a command
    Help(Help),
    /// Print what bash, zsh or fish needs to complete commands and flags
    Completions(Completions),
}

impl Cli {
    /// What was typed. Wrong usage, `--help` and `--version` end the process here.
    pub fn read() -> Self {
        let matches = parser().get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Runs the command to its end; the exit code is a failure if a script failed.
    pub fn run(self) -> Result<ExitCode, Error> {
        let Self { global, command } = self;
        let log_format = if let Command::Serve(serve) = &command { serve.log_format } else { LogFormat::Text };
        logging::start(&global.log_level, log_format);
        // Not parsed as a flag is: the message would repeat it.
        let token = global.token.map(|text| text.parse::<Token>()).transpose()?;
        let client = || Client::new(&global.server_url, token.as_ref());
        let output = Output { json: global.json };
        match command {
            Command::Serve(serve) => serve.run(global.db, token)?,
            Command::Template(command) => wait(async { command.run(&client()?, output).await })?,
            Command::Session(command) => wait(async { command.run(&client()?, output).await })?,
            Command::Exec(command) => return wait(async { command.run(&client()?, output).await }),
            Command::Ops(command) => wait(async { command.run(&client()?, output).await })?,
            Command::Libs(command) => wait(command.run(output))?,
            Command::Help(help) => help.run()?,
            Command::Completions(completions) => completions.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn wait<T>(call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let result = runtime.block_on(call);
    // A name that is still being looked up must not hold up the exit.
    runtime.shutdown_background();
    result
}

/// The definition of the command line.
pub fn parser() -> clap::Command {
    with_variables(Cli::command())
}

/// Lets every flag be given as an environment variable too: `--server-url` as `VM_SYSTEM_SERVER_URL`.
fn with_variables(parser: clap::Command) -> clap::Command {
    let parser = parser.mut_args(|arg| match arg.get_long() {
        Some(flag) => {
            let variable = format!("VM_SYSTEM_{}", flag.replace('-', "_").to_uppercase());
            arg.env(variable).hide_env_values(true)
        }
        None => arg,
    });
    parser.mut_subcommands(with_variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        parser().debug_assert();
    }

    #[test]
    fn every_flag_of_every_command_has_a_variable() {
        fn check(parser: &clap::Command) {
            for arg in parser.get_arguments().filter(|arg| arg.get_long().is_some()) {
                let variable = arg.get_env().unwrap().to_str().unwrap();
                assert!(variable.starts_with("VM_SYSTEM_"), "{variable}");
            }
            parser.get_subcommands().for_each(check);
        }
        check(&parser());
    }

    #[test]
    fn a_global_flag_may_stand_anywhere() {
        for line in [
            ["vm-system", "--server-url", "http://h", "template", "list"],
            ["vm-system", "template", "--server-url", "http://h", "list"],
            ["vm-system", "template", "list", "--server-url", "http://h"],
        ] {
            assert_eq!(Cli::try_parse_from(line).ok().unwrap().global.server_url, "http://h");
        }
    }

    #[test]
    fn the_reference_has_every_command_with_its_flags() {
        fn check(parser: &clap::Command, path: &str, reference: &str) {
            for command in parser.get_subcommands() {
                let path = format!("{path}{}", command.get_name());
                if command.has_subcommands() && path != "help" {
                    check(command, &(path + " "), reference);
                    continue;
                }
                let is_of_command = |line: &&str| {
                    line.strip_prefix(&format!("| `{path}")).is_some_and(|rest| rest.starts_with(['`', ' ']))
                };
                let line = reference.lines().find(is_of_command);
                let line = line.unwrap_or_else(|| panic!("no {path}"));
                for flag in command.get_arguments().filter_map(clap::Arg::get_long) {
                    assert!(line.contains(&format!("--{flag} ")), "no --{flag} in {line}");
                }
            }
            for flag in parser.get_arguments().filter_map(clap::Arg::get_long) {
                assert!(reference.contains(&format!("| `--{flag}")), "no --{flag}");
            }
        }
        check(&parser(), "", include_str!("../../../docs/cli-command-reference.md"));
    }
}
