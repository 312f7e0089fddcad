//! Resolution by uv: from requirements to exact files with addresses and hashes.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::uv::{self, Uv};
use pymode_toolchain::{Cache, CacheError, Key, Reporter, Sha256Hex, Source, Step, StepError};
use serde::Deserialize;

use crate::error::{Error, is_of_network};
use crate::marker;
use crate::name::ProjectName;
use crate::requirement::Requirement;
use crate::version::Version;

/// One package of a resolution.
#[derive(Clone, Debug)]
pub(crate) struct Locked {
    /// The project.
    pub(crate) name: ProjectName,
    /// Its version.
    pub(crate) version: Version,
    /// Its source distribution.
    pub(crate) sdist: Option<Artifact>,
    /// Its wheels, for all platforms.
    pub(crate) wheels: Vec<Artifact>,
}

/// A file of the index.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    /// File name, without directories.
    pub(crate) file: String,
    /// Address.
    pub(crate) source: Source,
    /// Hash.
    pub(crate) sha256: Sha256Hex,
}

/// Scope of a resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Only the named packages.
    Alone,
    /// The named packages and all their dependencies.
    Closure,
}

/// Resolves requirements for the guest's Python.
///
/// Open requirements are resolved once a day, pinned ones once.
///
/// # Errors
/// When uv is missing or finds no solution, or its answer is invalid.
pub(crate) fn lock(
    cache: &Cache,
    reporter: &Reporter,
    python: &Path,
    requirements: &[String],
    reach: Reach,
) -> Result<Vec<Locked>, Error> {
    parse(&resolve(
        cache,
        reporter,
        python,
        requirements,
        reach,
        None,
    )?)
}

/// Resolves to text in the format of PEP 751. Prefers the versions of an earlier lock when they fit.
pub(crate) fn resolve(
    cache: &Cache,
    reporter: &Reporter,
    python: &Path,
    requirements: &[String],
    reach: Reach,
    previous: Option<&str>,
) -> Result<String, Error> {
    let key = |day: Option<u64>| {
        let mut key = Key::new("lock")
            .field("uv", uv::VERSION)
            .field("reach", format!("{reach:?}"))
            .field("previous", previous.unwrap_or_default());
        for requirement in requirements {
            key = key.field("requirement", requirement);
        }
        match day {
            Some(day) => key.field("day", day.to_string()),
            None => key,
        }
    };
    let is_open = |text: &String| {
        let requirement: Result<Requirement, _> = text.parse();
        !requirement.is_ok_and(|requirement| requirement.is_pinned())
    };
    let today = requirements.iter().any(is_open).then(today);
    let answered = cache.entry("locks", &key(today), |dir| {
        let uv = uv::provision(cache, reporter)?;
        if let Some(previous) = previous {
            let path = dir.join(ANSWER);
            fs::write(&path, previous).map_err(CacheError::io("write", &path))?;
        }
        ask(cache, reporter, &uv, python, requirements, reach, dir)
    });
    let dir = match (answered, today) {
        // Offline, an answer of some days ago is better than none.
        (Err(Error::Unresolved { requirements, said }), Some(today)) if is_of_network(&said) => {
            let Some((days, dir)) = earlier(cache, today, |day| key(Some(day))) else {
                return Err(Error::Unresolved { requirements, said });
            };
            let plural = if days == 1 { "" } else { "s" };
            reporter.println(&format!(
                "no network: using the resolution of {requirements} from {days} day{plural} ago"
            ));
            dir
        }
        (answered, _) => answered?,
    };
    let path = dir.join(ANSWER);
    Ok(fs::read_to_string(&path).map_err(CacheError::io("read", &path))?)
}

/// The last answer before today, and its age in days.
fn earlier(cache: &Cache, today: u64, key: impl Fn(u64) -> Key) -> Option<(u64, PathBuf)> {
    (1..=today.min(MOST_DAYS))
        .find_map(|days| Some((days, cache.get("locks", &key(today - days))?)))
}

const ANSWER: &str = "pylock.toml";

/// Maximum age in days of an answer that is used without a network.
const MOST_DAYS: u64 = 90;

/// Today, as days since 1970.
fn today() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap_or_default().as_secs() / (24 * 60 * 60)
}

fn ask(
    cache: &Cache,
    reporter: &Reporter,
    uv: &Uv,
    python: &Path,
    requirements: &[String],
    reach: Reach,
    dir: &Path,
) -> Result<(), Error> {
    let input = dir.join("requirements.in");
    fs::write(&input, requirements.join("\n")).map_err(CacheError::io("write", &input))?;
    let mut command = uv.command();
    command.args([
        "pip",
        "compile",
        "--quiet",
        "--no-header",
        "--universal",
        "--format",
        "pylock.toml",
        "--python",
    ]);
    command
        .arg(python)
        .arg("--output-file")
        .arg(dir.join(ANSWER));
    if reach == Reach::Alone {
        command.arg("--no-deps");
    }
    command.arg(&input);
    let log = cache.root().join("logs/resolve.log");
    let wanted = requirements.join(", ");
    let step = if wanted.is_empty() {
        "writing an empty lock".to_owned()
    } else {
        format!("resolving {wanted}")
    };
    match Step::run(reporter, &step, command, &log) {
        Err(StepError::Failed(failed)) => Err(Error::Unresolved {
            requirements: wanted,
            said: failed.tail,
        }),
        other => Ok(other?),
    }
}

/// The lock file's format is that of PEP 751.
#[derive(Deserialize)]
struct Pylock {
    #[serde(rename = "lock-version")]
    lock_version: String,
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Option<String>,
    marker: Option<String>,
    sdist: Option<File>,
    #[serde(default)]
    wheels: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    url: Option<String>,
    name: Option<String>,
    hashes: Hashes,
}

#[derive(Deserialize)]
struct Hashes {
    sha256: Option<String>,
}

/// The packages of a lock file that the guest needs.
pub(crate) fn parse(text: &str) -> Result<Vec<Locked>, Error> {
    let wrong = |reason: String| Error::Lock { reason };
    let pylock: Pylock = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
    if !pylock.lock_version.starts_with("1.") {
        return Err(wrong(format!(
            "unsupported version {}",
            pylock.lock_version
        )));
    }
    let mut locked = Vec::new();
    for package in pylock.packages {
        if let Some(marker) = &package.marker
            && !marker::holds(marker).map_err(|e| wrong(e.to_string()))?
        {
            continue;
        }
        let version = package
            .version
            .ok_or_else(|| wrong(format!("`{}` has no version", package.name)))?;
        locked.push(Locked {
            name: package.name.parse()?,
            version: version.parse()?,
            sdist: package.sdist.and_then(artifact),
            wheels: package.wheels.into_iter().filter_map(artifact).collect(),
        });
    }
    Ok(locked)
}

/// A file with an address and a hash. Other files are ignored.
fn artifact(file: File) -> Option<Artifact> {
    let url = file.url?;
    let name = match file.name {
        Some(name) => name,
        None => url.split(['?', '#']).next()?.rsplit('/').next()?.to_owned(),
    };
    let plain = !name.starts_with('.') && name.len() < 200 && !name.contains(['/', '\\', '\0']);
    let sha256 = file.hashes.sha256?.parse().ok()?;
    plain.then_some(Artifact {
        file: name,
        source: Source(url),
        sha256,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_is_found_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let cache = Cache::at(dir.path()).expect("a cache");
        let key = |day: u64| Key::new("lock").field("day", day.to_string());
        assert!(earlier(&cache, 100, key).is_none());
        for day in [5, 90, 97, 100] {
            let kept = cache.entry("locks", &key(day), |_| Ok::<_, CacheError>(()));
            kept.expect("kept");
        }
        assert_eq!(earlier(&cache, 100, key).map(|(days, _)| days), Some(3));
        assert!(earlier(&cache, 300, key).is_none(), "that is too long ago");
    }

    #[test]
    fn a_lock_file_is_read_and_its_markers_are_heeded() {
        let hash = "a".repeat(64);
        let text = format!(
            "lock-version = '1.0'
             [[packages]]
             name = 'Here'
             version = '1.0'
             marker = \"python_full_version >= '3.8' and sys_platform != 'win32'\"
             sdist = {{ url = 'https://x.test/a/here-1.0.tar.gz', size = 3, hashes = {{ sha256 = '{hash}' }} }}
             wheels = [{{ url = 'https://x.test/a/../here-1.0-py3-none-any.whl#x', hashes = {{ sha256 = '{hash}' }} }},
                       {{ url = 'https://x.test/here-2.whl', hashes = {{}} }}]
             [[packages]]
             name = 'colorama'
             version = '2'
             marker = \"sys_platform == 'win32'\"
            "
        );
        let locked = parse(&text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(locked.len(), 1);
        assert_eq!(locked[0].name.as_str(), "here");
        assert_eq!(
            locked[0].sdist.as_ref().map(|sdist| sdist.file.as_str()),
            Some("here-1.0.tar.gz")
        );
        let wheels: Vec<&str> = locked[0]
            .wheels
            .iter()
            .map(|wheel| wheel.file.as_str())
            .collect();
        assert_eq!(
            wheels,
            ["here-1.0-py3-none-any.whl"],
            "a file without a hash is not taken"
        );
    }
}
