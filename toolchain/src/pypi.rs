//! PyPI through the machine's own pip, which knows the index, the mirror and the certificates that are set up here.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::cache::Cache;
use crate::download::{DownloadError, Source, download};
use crate::reporter::Reporter;
use crate::sha256::Sha256Hex;

/// An error while providing a wheel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PypiError {
    /// Python cannot be started.
    #[error(
        "could not get `{requirement}`: could not start `{python}`: {source}\n  hint: install Python 3 with pip, or set `PYMODE_HOST_PYTHON` to one"
    )]
    NoPython {
        /// The requirement.
        requirement: String,
        /// The command.
        python: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// There is a Python, but it has no pip.
    #[error(
        "could not get `{requirement}`: `{python}` has no pip\n  hint: install it (on Debian: `apt install python3-pip`), or set `PYMODE_HOST_PYTHON` to a Python that has it"
    )]
    NoPip {
        /// The requirement.
        requirement: String,
        /// Which Python was asked.
        python: String,
    },
    /// pip failed.
    #[error(
        "could not get `{requirement}`: pip failed:\n{}\n  hint: check the network connection; `{python} -m pip download {requirement}` does the same",
        indent(message)
    )]
    Pip {
        /// The requirement.
        requirement: String,
        /// Which Python was asked.
        python: String,
        /// The end of what pip printed.
        message: String,
    },
    /// pip found a file that is none of the pinned ones.
    #[error(
        "pip found `{file}` for `{requirement}`, which is not one of the pinned wheels\n  hint: this machine ({}-{}) may not be supported, or its package index has other files",
        std::env::consts::OS,
        std::env::consts::ARCH
    )]
    NotPinned {
        /// The requirement.
        requirement: String,
        /// The file that pip found.
        file: String,
    },
    /// The download failed.
    #[error(transparent)]
    Download(#[from] DownloadError),
}

/// The Python of this machine, whose pip is asked.
#[derive(Clone, Debug)]
pub struct HostPython {
    exe: String,
}

impl HostPython {
    /// `PYMODE_HOST_PYTHON`, else `python3`.
    pub fn from_environment() -> Self {
        Self::at(&std::env::var("PYMODE_HOST_PYTHON").unwrap_or_else(|_| "python3".to_owned()))
    }

    /// A Python by its name or path.
    pub fn at(exe: &str) -> Self {
        Self {
            exe: exe.to_owned(),
        }
    }
}

/// A tool that comes as one wheel per platform: which ones are right.
#[derive(Clone, Copy, Debug)]
pub struct PinnedWheel {
    /// The project.
    pub name: &'static str,
    /// Its exact version.
    pub version: &'static str,
    /// The sha256 of each wheel that will do, whichever of them fits this machine.
    pub sha256: &'static [&'static str],
}

impl PinnedWheel {
    /// The wheel that fits this machine, from the cache or downloaded.
    ///
    /// # Errors
    /// If pip is missing, finds no wheel or one that is not pinned, or if the download fails.
    pub fn fetch(&self, cache: &Cache, reporter: &Reporter) -> Result<PathBuf, PypiError> {
        self.fetch_with(&HostPython::from_environment(), cache, reporter)
    }

    /// The same, asking the pip of a certain Python.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn fetch_with(
        &self,
        python: &HostPython,
        cache: &Cache,
        reporter: &Reporter,
    ) -> Result<PathBuf, PypiError> {
        let requirement = format!("{}=={}", self.name, self.version);
        let found = ask_pip(python, &requirement)?;
        let file = found
            .url
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .split('#')
            .next()
            .unwrap_or_default()
            .to_owned();
        let not_pinned = || PypiError::NotPinned {
            requirement: requirement.clone(),
            file: file.clone(),
        };
        let sha256 = found.archive_info.hashes.sha256.ok_or_else(not_pinned)?;
        if !self.sha256.contains(&sha256.as_str()) || !is_plain_name(&file) {
            return Err(not_pinned());
        }
        let sha256: Sha256Hex = sha256.parse().map_err(|_| not_pinned())?;
        if let Some(path) = found.url.strip_prefix("file://") {
            // A directory of wheels that pip is configured to look into; its own word for the hash is not enough.
            let path = PathBuf::from(path);
            let is_it = Sha256Hex::of_file(&path).is_ok_and(|digest| digest == sha256);
            return if is_it { Ok(path) } else { Err(not_pinned()) };
        }
        Ok(download(
            cache,
            reporter,
            &file,
            &[Source(found.url)],
            &sha256,
        )?)
    }
}

#[derive(Deserialize)]
struct Report {
    install: Vec<Install>,
}

#[derive(Deserialize)]
struct Install {
    download_info: DownloadInfo,
}

#[derive(Deserialize)]
struct DownloadInfo {
    url: String,
    archive_info: ArchiveInfo,
}

#[derive(Deserialize)]
struct ArchiveInfo {
    #[serde(default)]
    hashes: Hashes,
}

#[derive(Deserialize, Default)]
struct Hashes {
    sha256: Option<String>,
}

/// Reads the file that pip would install from its installation report (the format is specified by PyPA, version 1).
fn ask_pip(python: &HostPython, requirement: &str) -> Result<DownloadInfo, PypiError> {
    let python = python.exe.clone();
    let output = Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--ignore-installed",
            "--no-deps",
            "--only-binary",
            ":all:",
        ])
        .args([
            "--disable-pip-version-check",
            "--no-input",
            "--quiet",
            // An index that is down fails within seconds, not minutes.
            "--retries",
            "2",
            "--report",
            "-",
            requirement,
        ])
        .stdin(Stdio::null())
        .output()
        .map_err(|source| PypiError::NoPython {
            requirement: requirement.to_owned(),
            python: python.clone(),
            source,
        })?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if stderr.contains("No module named pip") {
        return Err(PypiError::NoPip {
            requirement: requirement.to_owned(),
            python,
        });
    }
    let report: Option<Report> = serde_json::from_slice(&output.stdout).ok();
    match report.and_then(|report| report.install.into_iter().next()) {
        Some(install) if output.status.success() => Ok(install.download_info),
        _ => {
            // pip warns at every try; the last message is enough.
            let mut lines: Vec<&str> = stderr
                .lines()
                .filter(|line| line.starts_with("ERROR"))
                .collect();
            if lines.is_empty() {
                lines = stderr.lines().collect();
            }
            let mut message = lines[lines.len().saturating_sub(8)..].join("\n");
            if stderr.contains("connection broken by") {
                message.push_str("\nthe index cannot be reached");
            }
            Err(PypiError::Pip {
                requirement: requirement.to_owned(),
                python,
                message,
            })
        }
    }
}

/// Returns true if a name from the network may be the name of a file in the cache.
pub(crate) fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.len() < 200
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._+-!%".contains(&b))
}

fn indent(text: &str) -> String {
    text.lines()
        .map(|line| format!("  | {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
