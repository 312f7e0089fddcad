//! Files from the network: pinned by sha256, resumed where they broke off, from the next source when one fails.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;
use ureq::http::header::{CONTENT_RANGE, RANGE};
use ureq::tls::{RootCerts, TlsConfig};

use crate::cache::{Cache, CacheError};
use crate::key::Key;
use crate::reporter::Reporter;
use crate::sha256::Sha256Hex;

/// The longest file that is taken, in bytes: a server that never stops must not fill the disk.
const LARGEST: u64 = 1 << 30;

/// An address of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(pub String);

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A failed download.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// No source gave it.
    #[error("could not download `{name}`{}{}", list(tried), network_hint(tried))]
    NoSource {
        /// The file's name.
        name: String,
        /// Each source with its answer, in the order they were tried.
        tried: Vec<(Source, SourceError)>,
    },
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// An error of one source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No connection, or it broke.
    #[error("{0}")]
    Network(Box<ureq::Error>),
    /// It broke in the middle; what came is kept and continued next time.
    #[error("the connection failed after {at} bytes: {source}")]
    Broke {
        /// The number of bytes received.
        at: u64,
        /// The error of the connection.
        source: io::Error,
    },
    /// Something else than what was pinned; it was deleted.
    #[error("it has sha256 {found}, but {wanted} is pinned; the file was deleted")]
    WrongHash {
        /// The digest of the received file.
        found: Sha256Hex,
        /// The expected digest.
        wanted: Sha256Hex,
    },
    /// It does not end.
    #[error("the file is longer than {LARGEST} bytes")]
    TooLong,
}

/// The path of a downloaded file with this sha256, downloaded now if it is not in the cache.
///
/// # Errors
/// If no source has a file with this hash. The error lists the answer of each source.
pub fn download(
    cache: &Cache,
    reporter: &Reporter,
    name: &str,
    sources: &[Source],
    sha256: &Sha256Hex,
) -> Result<PathBuf, DownloadError> {
    let key = Key::new(name).field("sha256", sha256.as_str());
    let dir = cache.entry("downloads", &key, |dir| {
        // Outside the entry, so that it outlives a failure and can be continued. The entry's lock guards it.
        let partial = cache
            .root()
            .join("downloads")
            .join(format!(".{}.download", key.hex()));
        fetch_any(reporter, name, sources, sha256, &partial)?;
        fs::rename(&partial, dir.join(name))
            .map_err(CacheError::io("move into place", &dir.join(name)))?;
        Ok::<_, DownloadError>(())
    })?;
    Ok(dir.join(name))
}

fn fetch_any(
    reporter: &Reporter,
    name: &str,
    sources: &[Source],
    wanted: &Sha256Hex,
    partial: &Path,
) -> Result<(), DownloadError> {
    let agent = agent();
    let mut tried = Vec::new();
    for source in sources {
        let progress = reporter.start(&format!("downloading {name}"));
        match fetch(&agent, source, partial, &|at, total| {
            progress.set_transferred(at, total)
        })? {
            Ok(()) => {}
            Err(error) => {
                tried.push((source.clone(), error));
                continue;
            }
        }
        let found = Sha256Hex::of_file(partial).map_err(CacheError::io("read", partial))?;
        if found == *wanted {
            progress.finish();
            return Ok(());
        }
        fs::remove_file(partial).map_err(CacheError::io("delete", partial))?;
        tried.push((
            source.clone(),
            SourceError::WrongHash {
                found,
                wanted: wanted.clone(),
            },
        ));
    }
    Err(DownloadError::NoSource {
        name: name.to_owned(),
        tried,
    })
}

/// One source into `partial`, after what is already there. The outer error is ours, the inner one the source's.
fn fetch(
    agent: &Agent,
    source: &Source,
    partial: &Path,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<Result<(), SourceError>, CacheError> {
    let have = fs::metadata(partial).map_or(0, |meta| meta.len());
    let mut request = agent.get(&source.0);
    if have > 0 {
        request = request.header(RANGE, format!("bytes={have}-"));
    }
    let response = match request.call() {
        Ok(response) => response,
        // The file is complete already, or changed: the hash decides which.
        Err(ureq::Error::StatusCode(416)) => return Ok(Ok(())),
        Err(e) => return Ok(Err(SourceError::Network(Box::new(e)))),
    };
    let continued = response.status().as_u16() == 206
        && response
            .headers()
            .get(CONTENT_RANGE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|range| range.starts_with(&format!("bytes {have}-")));
    let mut at = if continued { have } else { 0 };
    let total = response
        .body()
        .content_length()
        .map(|length| at.saturating_add(length));

    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .append(continued)
        .truncate(!continued)
        .open(partial)
        .map_err(CacheError::io("create", partial))?;
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Ok(Err(SourceError::Broke { at, source })),
        };
        write(&mut file, &buffer[..n], partial)?;
        at += n as u64;
        if at > LARGEST {
            drop(file);
            fs::remove_file(partial).map_err(CacheError::io("delete", partial))?;
            return Ok(Err(SourceError::TooLong));
        }
        progress(at, total);
    }
    Ok(Ok(()))
}

fn write(file: &mut File, bytes: &[u8], path: &Path) -> Result<(), CacheError> {
    file.write_all(bytes).map_err(CacheError::io("write", path))
}

fn agent() -> Agent {
    // The platform's certificates, not a list of our own: the machine's administrator decides what it trusts.
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .user_agent(concat!("pymode/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

fn list(tried: &[(Source, SourceError)]) -> String {
    tried
        .iter()
        .map(|(source, error)| format!("\n  {source}: {error}"))
        .collect()
}

fn network_hint(tried: &[(Source, SourceError)]) -> &'static str {
    let no_network = |error: &SourceError| {
        matches!(error, SourceError::Network(e) if !matches!(**e, ureq::Error::StatusCode(_)))
            || matches!(error, SourceError::Broke { .. })
    };
    if tried.is_empty() {
        "\n  no source for it is known on this machine"
    } else if tried.iter().all(|(_, error)| no_network(error)) {
        "\n  hint: check the network connection and run the command again; it continues where the download stopped"
    } else {
        ""
    }
}
