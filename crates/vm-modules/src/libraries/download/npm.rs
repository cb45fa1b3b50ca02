//! Fetching a package through the user's own npm: their registry, proxy and credentials apply.

use std::{fs, io, path::Path, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};

use super::{DownloadError, Event, tarball};
use crate::libraries::Library;

/// npm has its own retries and timeouts; this is for one that does not end at all.
const TIMEOUT: Duration = Duration::from_secs(180);

/// So much of what npm says is passed on.
const REASON_CHARS: usize = 300;

/// The file of a library, whatever is in it.
pub async fn fetch(library: &Library, observe: &impl Fn(Event<'_>)) -> Result<Vec<u8>, DownloadError> {
    let package = format!("{}@{}", library.name, library.version);
    observe(Event::Started(&format!("npm package {package}")));
    let folder = tempfile::tempdir().map_err(DownloadError::NoTemporaryFolder)?;
    pack(&package, folder.path()).await?;
    open_tarball(folder.path())
        .and_then(|file| tarball::extract(file, &format!("package/{}", library.file)))
        .map_err(|reason| DownloadError::Package { package, reason })
}

/// Has npm put the package's tarball into a folder.
async fn pack(package: &str, folder: &Path) -> Result<(), DownloadError> {
    let failed = |reason: String| DownloadError::Npm { package: package.into(), reason };
    let mut npm = Command::new("npm");
    npm.args(["pack", "--ignore-scripts", package]).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = match timeout(TIMEOUT, npm.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => return Err(DownloadError::NoNpm),
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Err(_) => return Err(failed(format!("it did not end within {} seconds", TIMEOUT.as_secs()))),
    };
    if output.status.success() {
        return Ok(());
    }
    let said = complaint(&String::from_utf8_lossy(&output.stderr));
    Err(failed(if said.is_empty() { output.status.to_string() } else { said }))
}

/// The only one of the folder; how npm names it differs between its versions.
fn open_tarball(folder: &Path) -> io::Result<fs::File> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tgz") {
            return fs::File::open(path);
        }
    }
    Err(io::Error::new(io::ErrorKind::NotFound, "npm left no tarball"))
}

/// What went wrong, out of all that npm says about it.
fn complaint(stderr: &str) -> String {
    let error = |line: &str| {
        let text = line.strip_prefix("npm error").or_else(|| line.strip_prefix("npm ERR!"))?.trim();
        (!text.is_empty() && !text.contains("complete log of this run")).then(|| text.to_owned())
    };
    let errors: Vec<_> = stderr.lines().filter_map(error).collect();
    let text = if errors.is_empty() { stderr.trim().to_owned() } else { errors.join(", ") };
    text.chars().take(REASON_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_complaint_is_what_npm_calls_an_error_old_or_new() {
        for prefix in ["npm error", "npm ERR!"] {
            let stderr = format!(
                "npm notice new version\n{prefix} code E404\n{prefix} 404 Not Found - GET https://r/x\n{prefix}\n\
                 {prefix} A complete log of this run can be found in: /home/x\n"
            );
            assert_eq!(complaint(&stderr), "code E404, 404 Not Found - GET https://r/x");
        }
        assert_eq!(complaint("env: node: No such file or directory\n"), "env: node: No such file or directory");
        assert_eq!(complaint(&"é".repeat(1000)).chars().count(), REASON_CHARS);
    }
}
