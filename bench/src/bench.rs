//! What every section is given: where things are, how much to do, and the report.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{Result, report::Report};

pub struct Bench {
    /// The binary that is measured.
    pub vm_system: PathBuf,
    /// Where results, caches and databases are.
    pub folder: PathBuf,
    pub is_quick: bool,
    pub report: Report,
}

impl Bench {
    /// How often what a line says is measured.
    pub fn rounds(&self) -> usize {
        if self.is_quick { 2 } else { 5 }
    }

    /// So many, or a tenth of it in a quick run.
    pub fn scaled(&self, full: usize) -> usize {
        if self.is_quick { full.div_ceil(10) } else { full }
    }

    /// Powers of ten up to this one, or in a quick run up to a tenth or less of it.
    pub fn steps(&self, first: usize, last: usize, last_quick: usize) -> Vec<usize> {
        let last = if self.is_quick { last_quick } else { last };
        std::iter::successors(Some(first), |step| Some(step * 10)).take_while(|step| *step <= last).collect()
    }

    /// Shared by all daemons of the run, so that only the first one compiles.
    pub fn code_cache(&self) -> PathBuf {
        self.folder.join("code")
    }

    pub fn library_cache(&self) -> PathBuf {
        self.folder.join("libraries")
    }

    /// A folder for a database, on the disk that the results are on: what is in memory would be too fast.
    pub fn temporary(&self) -> Result<TempDir> {
        Ok(tempfile::tempdir_in(&self.folder)?)
    }

    /// The file of lodash, which the user's own npm brings once.
    pub fn lodash(&self) -> Result<PathBuf> {
        let file = self.library_cache().join("lodash-4.17.21.js");
        if !file.exists() {
            let download = Command::new(&self.vm_system)
                .args(["libs", "download", "lodash", "--via", "npm", "--cache-dir"])
                .arg(self.library_cache())
                .output()?;
            if !download.status.success() {
                return Err(format!("lodash is not there: {}", String::from_utf8_lossy(&download.stderr)).into());
            }
        }
        Ok(file)
    }

    /// `None`, after the lines have said why: lodash is not there.
    pub fn lodash_or_skip(&mut self, lines: &[&str]) -> Option<PathBuf> {
        match self.lodash() {
            Ok(file) => Some(file),
            Err(error) => {
                for line in lines {
                    self.report.skip(line, &error.to_string());
                }
                None
            }
        }
    }
}

/// Writes a file of a worktree.
pub fn write(worktree: &Path, name: &str, content: &str) -> Result<()> {
    Ok(fs::write(worktree.join(name), content)?)
}
