//! `help`: the topics, and what the commands say of themselves.
//!
//! | module | what it does |
//! |---|---|
//! | `markdown` | shows a topic's Markdown on a terminal |

mod markdown;

use std::io;

use clap::{Args, Command, Subcommand, error::ErrorKind};

use crate::{cli, error::Error, output, terminal};

/// `vm-system help`
#[derive(Args)]
#[command(override_usage = USAGE, help_template = TEMPLATE)]
pub struct Help {
    #[command(subcommand)]
    about: Option<About>,
}

const USAGE: &str = "vm-system help [TOPIC|COMMAND]";
const TEMPLATE: &str = "\
{about-with-newline}
{usage-heading} {usage}

Topics:
{subcommands}

All commands: vm-system --help. One of them: vm-system help COMMAND
";

/// The topics, which are the files of `docs/`, and everything else.
#[derive(Subcommand)]
enum About {
    /// From nothing to a session that remembers, step by step
    GettingStarted,
    /// What a template decides, how a session lives, what an execution records
    TemplatesAndSessions,
    /// Every route of the HTTP API, with requests, answers and errors
    ApiReference,
    /// Every command and flag, the lines that scripts may rely on, exit codes
    CliCommandReference,
    /// How the daemon is built, and one call's way through it
    Architecture,
    /// Whole tasks: reports, databases, modules, commands, libraries, limits
    Examples,
    /// How fast and how large it is, and how that is measured
    Benchmarks,
    /// How to work on vm-system itself
    Contributing,
    #[command(external_subcommand)]
    Command(Vec<String>),
}

impl Help {
    /// Prints what was asked for, or all that can be asked for. What there is no help about is wrong usage, which ends
    /// the process here.
    pub fn run(self) -> Result<(), Error> {
        let topic = match self.about {
            None => return command_help(&["help".into()]),
            Some(About::Command(words)) => return command_help(&words),
            Some(About::GettingStarted) => include_str!("../../../../docs/getting-started.md"),
            Some(About::TemplatesAndSessions) => include_str!("../../../../docs/templates-and-sessions.md"),
            Some(About::ApiReference) => include_str!("../../../../docs/api-reference.md"),
            Some(About::CliCommandReference) => include_str!("../../../../docs/cli-command-reference.md"),
            Some(About::Architecture) => include_str!("../../../../docs/architecture.md"),
            Some(About::Examples) => include_str!("../../../../docs/examples.md"),
            Some(About::Benchmarks) => include_str!("../../../../docs/benchmarks.md"),
            Some(About::Contributing) => include_str!("../../../../docs/contributing.md"),
        };
        match terminal::width() {
            Some(width) => output::write(&markdown::shown(topic, width, terminal::is_styled(&io::stdout()))),
            None => output::write(topic),
        }
    }
}

/// The same as the command's `--help`.
fn command_help(words: &[String]) -> Result<(), Error> {
    let line = ["vm-system"].into_iter().chain(words.iter().map(String::as_str)).chain(["--help"]);
    match cli::parser().try_get_matches_from(line) {
        Err(help) if help.kind() == ErrorKind::DisplayHelp => help.print().map_err(Error::Stdout),
        _ => unknown(&words.join(" ")),
    }
}

fn unknown(words: &str) -> ! {
    let mut help = About::augment_subcommands(Command::new("help").override_usage(USAGE));
    let topics: Vec<_> = help.get_subcommands().map(Command::get_name).collect();
    let message = format!("there is no topic and no command {words:?}; the topics are {}", topics.join(", "));
    help.error(ErrorKind::InvalidSubcommand, message).exit()
}
