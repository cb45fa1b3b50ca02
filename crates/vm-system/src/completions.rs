//! `completions`: what a shell needs to complete commands and flags.

use clap::ValueEnum;
use clap_complete::{generate, shells};

use crate::{cli, error::Error, output};

/// `vm-system completions`
#[derive(clap::Args)]
pub struct Completions {
    /// The shell; for bash, `source <(vm-system completions bash)` makes them work at once
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    /// Prints the script.
    pub fn run(self) -> Result<(), Error> {
        let mut parser = cli::parser();
        let mut script = Vec::new();
        let name = parser.get_name().to_owned();
        match self.shell {
            Shell::Bash => generate(shells::Bash, &mut parser, name, &mut script),
            Shell::Zsh => generate(shells::Zsh, &mut parser, name, &mut script),
            Shell::Fish => generate(shells::Fish, &mut parser, name, &mut script),
        }
        // clap_complete 4.6 for bash has two names for the hyphen in the binary's: with these, no command's own words are found
        output::write(&String::from_utf8_lossy(&script).replace("vm__subcmd__system", "vm__system"))
    }
}
