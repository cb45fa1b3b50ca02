//! The table on the terminal, and the same lines as JSON.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    Result,
    stats::Spread,
    targets::{TARGETS, Target},
};

/// The lines of one run, in the order in which they were measured.
#[derive(Default)]
pub struct Report {
    section: &'static str,
    lines: Vec<Value>,
    missed: usize,
}

impl Report {
    pub fn begin(&mut self, section: &'static str) {
        self.section = section;
        println!("\n{section}");
    }

    /// A line that has a target. `rounds`: its value in each round; `note`: what else there is to say, or nothing.
    pub fn target(&mut self, name: &str, rounds: &[f64], note: &str) -> Result<()> {
        let target = Target::find(name).ok_or_else(|| format!("no target is called {name:?}"))?;
        let is_met = target.is_met(Spread::of(rounds).median);
        self.missed += usize::from(!is_met);
        self.line(name, target.unit, rounds, Some(target), if is_met { "pass" } else { "FAIL" }, note);
        Ok(())
    }

    /// A line that only says something.
    pub fn info(&mut self, name: &str, unit: &str, rounds: &[f64], note: &str) {
        self.line(name, unit, rounds, None, "", note);
    }

    fn line(
        &mut self,
        name: &str,
        unit: &str,
        rounds: &[f64],
        target: Option<&Target>,
        result: &'static str,
        note: &str,
    ) {
        let spread = Spread::of(rounds);
        let limit =
            target.map_or(String::new(), |target| format!("{} {}", target.comparison.symbol(), shown(target.limit)));
        let range = match rounds.len() {
            0 | 1 => String::new(),
            _ => format!("{} … {}", shown(spread.lowest), shown(spread.highest)),
        };
        let value = format!("{} {unit}", shown(spread.median));
        println!("  {name:56} {value:>18}  {range:>19}  {limit:>8}  {result:4}  {note}");
        self.lines.push(json!({
            "section": self.section, "name": name, "unit": unit,
            "value": spread.median, "lowest": spread.lowest, "highest": spread.highest, "rounds": rounds,
            "comparison": target.map(|target| target.comparison.symbol()), "target": target.map(|target| target.limit),
            "pass": target.map(|_| result == "pass"), "note": note,
        }));
    }

    /// A line that is not measured here, and why.
    pub fn skip(&mut self, name: &str, reason: &str) {
        self.word(name, "skipped", reason);
    }

    /// A line about something that is not possible, and why.
    pub fn cannot(&mut self, name: &str, reason: &str) {
        self.word(name, "cannot", reason);
    }

    fn word(&mut self, name: &str, word: &str, reason: &str) {
        println!("  {name:56} {word:>18}  {reason}");
        self.lines.push(json!({ "section": self.section, "name": name, word: reason }));
    }

    /// A chart beside the JSON.
    pub fn chart(&mut self, file: &str, svg: &str, folder: &Path) -> Result<()> {
        let path = folder.join(file);
        fs::write(&path, svg)?;
        println!("  chart: {}", path.display());
        self.lines.push(json!({ "section": self.section, "chart": file }));
        Ok(())
    }

    /// Writes the JSON and says what is missing. `machine`: where it was measured.
    pub fn finish(self, machine: &Value, path: &Path) -> Result<()> {
        let said: Vec<_> = self.lines.iter().filter_map(|line| line["name"].as_str()).collect();
        let silent: Vec<_> = TARGETS.iter().map(|target| target.name).filter(|name| !said.contains(name)).collect();
        let report = json!({ "machine": machine, "lines": self.lines, "not_measured": silent });
        fs::write(path, format!("{report:#}\n"))?;
        println!("\n{} targets missed, {} not measured; {}", self.missed, silent.len(), path.display());
        Ok(())
    }
}

/// Three digits that matter, or all of a large number.
fn shown(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        small if small >= 0.01 => format!("{value:.2}"),
        _ => format!("{value:.2e}"),
    }
}
