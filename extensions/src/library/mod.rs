//! C libraries that packages link with: data, checked when parsed. A recipe names them; each is built once.

mod make;

use std::collections::BTreeMap;

use pymode_toolchain::crates::{self, CrateList};
use pymode_toolchain::sha256::NotASha256;
use pymode_toolchain::{Key, Sha256Hex};
use serde::Deserialize;

pub(crate) use make::{Prefix, provision};

/// All libraries: the name and the text of each file of `libraries/`, from the build script.
const LIBRARIES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/libraries.rs"));

/// Maximum number of lines of a library's file.
const MOST_LINES: usize = 20;

/// The crates that carry the libraries which Python itself does not use.
const CRATES: CrateList = CrateList {
    manifest: include_str!("../../libraries/Cargo.toml"),
    lock: include_str!("../../libraries/Cargo.lock"),
};

/// A valid library.
#[derive(Clone, Debug)]
pub(crate) struct Library {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    /// Headers that packages include.
    pub(crate) headers: Vec<String>,
    /// Names after `-l`.
    pub(crate) archives: Vec<String>,
    /// pkg-config names, if they differ from the library's name.
    packages: Vec<String>,
    /// Subdirectory of `include` with the headers, if they are not directly in it.
    include: Option<String>,
    source: Source,
    /// Variables of its CMake build.
    cmake: BTreeMap<String, String>,
    /// Other libraries that it needs.
    needs: Vec<Library>,
}

/// Origin of a library's source.
#[derive(Clone, Debug)]
enum Source {
    /// Part of Python's own build: the same files, the same flags.
    Python,
    /// A directory of a crate, with its own build.
    Crate { name: String, dir: String },
    /// Upstream's archive from Debian, which holds one directory.
    Archive {
        path: String,
        sha256: Sha256Hex,
        dir: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: String,
    headers: Vec<String>,
    archives: Vec<String>,
    #[serde(default)]
    packages: Vec<String>,
    include: Option<String>,
    #[serde(default)]
    needs: Vec<String>,
    source: WrittenSource,
    #[serde(default)]
    cmake: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSource {
    python: Option<String>,
    #[serde(rename = "crate")]
    of_crate: Option<String>,
    debian: Option<String>,
    sha256: Option<String>,
    dir: Option<String>,
}

impl Library {
    /// Returns a library by its name.
    ///
    /// # Errors
    /// A sentence, when there is no such library or its file is invalid.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        match LIBRARIES.iter().find(|(library, _)| *library == name) {
            Some((name, text)) => {
                Self::parse(name, text).map_err(|e| format!("invalid library `{name}`: {e}"))
            }
            None => Err(format!(
                "unknown library `{name}`\n  hint: use one of {}",
                names().collect::<Vec<_>>().join(", ")
            )),
        }
    }

    /// The library of a header, named as in an `#include`.
    pub(crate) fn with_header(header: &str) -> Option<Self> {
        all().find(|library| library.headers.iter().any(|known| known == header))
    }

    /// The library of `-lNAME`.
    pub(crate) fn with_archive(name: &str) -> Option<Self> {
        all().find(|library| library.archives.iter().any(|known| known == name))
    }

    /// The library with this pkg-config name.
    pub(crate) fn with_package(name: &str) -> Option<Self> {
        all().find(|library| library.packages.iter().any(|known| known == name))
    }

    pub(crate) fn is_among(&self, libraries: &[Self]) -> bool {
        libraries.iter().any(|library| library.name == self.name)
    }

    /// The key of the library's inputs.
    pub(crate) fn key(&self) -> Key {
        let mut key = Key::new(&format!("{}-{}", self.name, self.version))
            .field("archives", self.archives.join(" "))
            .field("headers", self.headers.join(" "));
        key = match &self.source {
            Source::Python => key.field("crates", crates::OF_PYTHON.lock),
            Source::Crate { name, dir } => key
                .field("crates", CRATES.lock)
                .field("crate", name)
                .field("dir", dir),
            Source::Archive { sha256, dir, .. } => {
                key.field("sha256", sha256.as_str()).field("dir", dir)
            }
        };
        for (variable, value) in &self.cmake {
            key = key.field(variable, value);
        }
        for needed in &self.needs {
            key = key.key("needs", &needed.key());
        }
        key
    }

    fn parse(name: &'static str, text: &str) -> Result<Self, String> {
        if text.lines().count() > MOST_LINES {
            return Err(format!("more than {MOST_LINES} lines"));
        }
        let written: Written = toml::from_str(text).map_err(|e| e.to_string())?;
        if written.archives.is_empty() || written.headers.is_empty() {
            return Err("`archives` or `headers` is empty".to_owned());
        }
        let words = written.archives.iter().chain(&written.headers);
        for word in words.chain(&written.include) {
            if !is_path_below(word) {
                return Err(format!("invalid file name `{word}`"));
            }
        }
        let needs = written.needs.iter().map(|name| Self::find(name));
        Ok(Self {
            name,
            source: Source::parse(written.source)?,
            needs: needs.collect::<Result<_, _>>()?,
            version: written.version,
            headers: written.headers,
            packages: written.packages,
            include: written.include,
            archives: written.archives,
            cmake: written.cmake,
        })
    }
}

impl Source {
    fn parse(written: WrittenSource) -> Result<Self, String> {
        let dir = |dir: Option<String>| {
            dir.filter(|dir| is_path_below(dir))
                .ok_or("`source.dir` must be a directory inside the source")
        };
        match written {
            WrittenSource {
                python: Some(python),
                of_crate: None,
                debian: None,
                ..
            } if python == "zlib" => Ok(Self::Python),
            WrittenSource {
                of_crate: Some(name),
                python: None,
                debian: None,
                ..
            } => {
                if !CRATES.manifest.contains(&format!("\n{name} = ")) {
                    return Err(format!("`libraries/Cargo.toml` does not name `{name}`"));
                }
                Ok(Self::Crate {
                    name,
                    dir: dir(written.dir)?,
                })
            }
            WrittenSource {
                debian: Some(path),
                sha256: Some(sha256),
                python: None,
                of_crate: None,
                ..
            } => Ok(Self::Archive {
                path,
                sha256: sha256.parse().map_err(|e: NotASha256| e.to_string())?,
                dir: dir(written.dir)?,
            }),
            _ => Err(
                "expected as `source` one of `python = \"zlib\"`, `crate` with `dir`, `debian` with `sha256` and `dir`"
                    .to_owned(),
            ),
        }
    }
}

/// The names of all libraries.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    LIBRARIES.iter().map(|(name, _)| *name)
}

/// The key of all libraries: a build may turn out to need any.
pub(crate) fn all_key() -> Key {
    all().fold(Key::new("libraries"), |key, library| {
        key.key(library.name, &library.key())
    })
}

fn all() -> impl Iterator<Item = Library> {
    names().filter_map(|name| Library::find(name).ok())
}

fn is_path_below(path: &str) -> bool {
    !path
        .split('/')
        .any(|part| matches!(part, "" | "." | "..") || part.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_parses() {
        for name in names() {
            Library::find(name).unwrap_or_else(|e| panic!("{e}"));
        }
        let zlib = Library::with_header("zlib.h").expect("it is there");
        assert_eq!(zlib.name, "zlib");
        assert_eq!(
            Library::with_archive("yaml").expect("it is").name,
            "libyaml"
        );
        let libxml2 = Library::with_package("libxml-2.0").expect("it is");
        assert_eq!(libxml2.name, "libxml2");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let parse = |text: &str| Library::parse("x", text).expect_err("it is wrong");
        let head = "version = '1'\nheaders = ['x.h']\narchives = ['x']\n";
        let wrong = |rest: &str| parse(&format!("{head}{rest}"));
        assert!(
            wrong("needs = ['nothing']\n[source]\npython = 'zlib'")
                .contains("unknown library `nothing`")
        );
        assert!(wrong("[source]\npython = 'gtk'").contains("expected as `source` one of"));
        assert!(wrong("[source]\ncrate = 'serde'\ndir = 'x'").contains("does not name `serde`"));
        let hash = "0".repeat(64);
        let archive = |dir: &str, hash: &str| {
            wrong(&format!(
                "[source]\ndebian = 'pool/x'\nsha256 = '{hash}'\ndir = '{dir}'"
            ))
        };
        assert!(archive("../x", &hash).contains("source.dir"));
        assert!(archive("x", "abc").contains("`abc`"));
        assert!(wrong("patch = 1\n[source]\npython = 'zlib'").contains("unknown field `patch`"));
        assert!(parse(&"#\n".repeat(21)).contains("20 lines"));
    }
}
