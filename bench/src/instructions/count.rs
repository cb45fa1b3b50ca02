//! Counting, with valgrind.

use std::{env, path::Path, process::Command};

use super::paths::HotPath;
use crate::Result;

/// The instructions that a path takes once: of two runs the difference, in which their beginning and end are not.
pub fn instructions(path: HotPath, folder: &Path) -> Result<u64> {
    let (few, many) = (path.times, 3 * path.times);
    let (first, second) = (total(path.name, few, folder)?, total(path.name, many, folder)?);
    let difference = second.checked_sub(first).filter(|difference| *difference > 0);
    let difference = difference.ok_or_else(|| format!("{}: {few} times took as much as {many}", path.name))?;
    Ok(difference / (many - few) as u64)
}

/// Of a whole process that goes the path so many times.
pub fn total(name: &str, times: usize, folder: &Path) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args(["--path", name, &times.to_string()])
        .arg(folder)
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let count =
        said.lines().find_map(|line| line.split_once("I   refs:")).map(|(_, count)| count.trim().replace(',', ""));
    match (output.status.success(), count) {
        (true, Some(count)) => Ok(count.parse()?),
        _ => Err(format!("{name}: valgrind ended with {}: {said}", output.status).into()),
    }
}
