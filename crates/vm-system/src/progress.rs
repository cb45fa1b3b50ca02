//! How far the downloads are, on standard error: bars on a terminal, elsewhere a line for what matters.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use vm_modules::libraries::{
    Library,
    download::{Event, Outcome},
};

use crate::{output::safe, terminal};

/// Without colours, which some terminals and people do not want.
const BAR: &str = "{prefix:16} [{bar:24}] {wide_msg}";

/// Shows what happens to each library.
pub enum Progress {
    Bars { all: MultiProgress, bars: HashMap<&'static str, ProgressBar> },
    Lines,
}

impl Progress {
    pub fn new(libraries: &[&'static Library]) -> Self {
        if !terminal::is_capable(&io::stderr()) {
            return Self::Lines;
        }
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = |library: &&'static Library| {
            let bar = ProgressBar::new(1).with_style(style.clone()).with_prefix(library.full_name());
            (library.name, all.add(bar))
        };
        let bars = libraries.iter().map(bar).collect();
        Self::Bars { all, bars }
    }

    pub fn show(&self, library: &Library, event: &Event<'_>) {
        match self {
            Self::Bars { bars, .. } => bars.get(library.name).into_iter().for_each(|bar| move_bar(bar, event)),
            Self::Lines => {
                if let Some(text) = what(event) {
                    // If standard error is gone, the report still says how it ended.
                    let _ = writeln!(io::stderr(), "{}: {text}", library.full_name());
                }
            }
        }
    }

    /// Makes room for the report.
    pub fn end(self) {
        if let Self::Bars { all, .. } = self {
            // What cannot be wiped off the screen stays there.
            let _ = all.clear();
        }
    }
}

fn move_bar(bar: &ProgressBar, event: &Event<'_>) {
    match event {
        Event::Received { bytes, of } => {
            bar.set_length(of.unwrap_or(*bytes));
            bar.set_position(*bytes);
        }
        Event::Ended(Ok(Outcome::AlreadyCached)) => bar.finish_with_message("already cached"),
        Event::Ended(Ok(Outcome::Downloaded { .. })) => bar.finish_with_message("downloaded"),
        Event::Ended(Err(_)) => bar.abandon_with_message("failed"),
        _ => bar.set_message(what(event).unwrap_or_default()),
    }
}

/// What has happened, if it is worth a line before the report.
fn what(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Started(from) => Some(format!("getting {}", safe(from))),
        Event::Retrying(error) => Some(format!("{}; trying again", safe(&error.to_string()))),
        Event::FallingBack(error) => Some(format!("{}; trying npm", safe(&error.to_string()))),
        Event::Received { .. } | Event::Ended(_) => None,
    }
}
