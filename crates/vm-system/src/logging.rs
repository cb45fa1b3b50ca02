//! The log on standard error.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::terminal;

/// How a log line looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// For programs: one JSON object per line
    Json,
}

/// Starts logging; `level` has passed [`parse_level`].
pub fn start(level: &str, format: LogFormat) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(io::stderr)
        .with_ansi(terminal::is_styled(&io::stderr()));
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

/// Refuses what would silently log nothing: a filter takes a misspelt level for the name of a module.
pub fn parse_level(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    for part in text.split(',').filter(|part| !part.contains('=')) {
        if !LEVELS.contains(&part.to_ascii_lowercase().as_str()) {
            return Err(format!("{part:?} is not one of {}, nor MODULE=LEVEL", LEVELS.join(", ")));
        }
    }
    EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_directives_are_accepted_and_misspelt_ones_refused() {
        for level in ["info", "WARN", "off", "info,vm_core=debug", "vm_server=trace"] {
            assert_eq!(parse_level(level), Ok(level.into()));
        }
        for level in ["", "wrn", "info,dbug", "vm_core=loud", "info,,warn"] {
            assert!(parse_level(level).is_err(), "{level:?}");
        }
    }
}
