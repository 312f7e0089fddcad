//! C libraries that packages are linked with: data, checked when parsed. A recipe names them; each is built once.

mod make;

use std::collections::BTreeMap;

use pymode_toolchain::crates::{self, CrateList};
use pymode_toolchain::sha256::NotASha256;
use pymode_toolchain::{Key, Sha256Hex};
use serde::Deserialize;

pub(crate) use make::{Prefix, provision};

/// All libraries: each file of `libraries/`, by its name.
const LIBRARIES: &[(&str, &str)] = &[
    (
        "libjpeg-turbo",
        include_str!("../../libraries/libjpeg-turbo.toml"),
    ),
    ("libxml2", include_str!("../../libraries/libxml2.toml")),
    ("libxslt", include_str!("../../libraries/libxslt.toml")),
    ("libyaml", include_str!("../../libraries/libyaml.toml")),
    ("zlib", include_str!("../../libraries/zlib.toml")),
];

/// The most lines of a library's file.
const MOST_LINES: usize = 20;

/// The crates that carry those which Python is not made with.
const CRATES: CrateList = CrateList {
    manifest: include_str!("../../libraries/Cargo.toml"),
    lock: include_str!("../../libraries/Cargo.lock"),
};

/// A library, checked.
#[derive(Clone, Debug)]
pub(crate) struct Library {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    /// What others include of it.
    pub(crate) headers: Vec<String>,
    /// What it is called behind `-l`.
    pub(crate) archives: Vec<String>,
    /// What pkg-config calls it, where that is not its own name.
    packages: Vec<String>,
    /// The directory below `include` that its headers are in, if it is not that one.
    include: Option<String>,
    source: Source,
    /// Variables of its CMake build.
    cmake: BTreeMap<String, String>,
    /// Libraries that it needs itself.
    needs: Vec<Library>,
}

/// Where its source comes from.
#[derive(Clone, Debug)]
enum Source {
    /// Python is made with it: the same files, the same flags.
    Python,
    /// A crate carries it, in a directory of its own, with its own build.
    Crate { name: String, dir: String },
    /// Debian's archive has upstream's file, which holds one directory.
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
    /// A library by its name.
    ///
    /// # Errors
    /// A sentence, when there is none, or when its file is wrong.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        match LIBRARIES.iter().find(|(library, _)| *library == name) {
            Some((name, text)) => {
                Self::parse(name, text).map_err(|e| format!("the library `{name}` is wrong: {e}"))
            }
            None => Err(format!(
                "there is no library `{name}`; there are {}",
                names().collect::<Vec<_>>().join(", ")
            )),
        }
    }

    /// The library that brings a header, named as in an `#include`.
    pub(crate) fn with_header(header: &str) -> Option<Self> {
        all().find(|library| library.headers.iter().any(|known| known == header))
    }

    /// The library that is meant by `-lNAME`.
    pub(crate) fn with_archive(name: &str) -> Option<Self> {
        all().find(|library| library.archives.iter().any(|known| known == name))
    }

    /// The library that pkg-config knows by this name.
    pub(crate) fn with_package(name: &str) -> Option<Self> {
        all().find(|library| library.packages.iter().any(|known| known == name))
    }

    pub(crate) fn is_among(&self, libraries: &[Self]) -> bool {
        libraries.iter().any(|library| library.name == self.name)
    }

    /// What is built depends on.
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
            return Err(format!("its file has more than {MOST_LINES} lines"));
        }
        let written: Written = toml::from_str(text).map_err(|e| e.to_string())?;
        if written.archives.is_empty() || written.headers.is_empty() {
            return Err("it brings no archive, or no header".to_owned());
        }
        let words = written.archives.iter().chain(&written.headers);
        for word in words.chain(&written.include) {
            if !is_path_below(word) {
                return Err(format!("`{word}` is no name of a file"));
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
                .ok_or("`source.dir` must be a directory inside of the source")
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
                "`source` is one of `python = \"zlib\"`, `crate` with `dir`, `debian` with `sha256` and `dir`"
                    .to_owned(),
            ),
        }
    }
}

/// The names of all libraries.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    LIBRARIES.iter().map(|(name, _)| *name)
}

/// All of them: a build may turn out to need any.
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
    fn every_file_is_a_library_and_every_library_is_right() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/libraries");
        let files = std::fs::read_dir(dir).expect("the directory is there");
        let mut files: Vec<String> = files
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".toml") && name != "Cargo.toml")
            .collect();
        files.sort();
        let listed: Vec<String> = names().map(|name| format!("{name}.toml")).collect();
        assert_eq!(files, listed, "add the library to `LIBRARIES`");
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
                .contains("no library `nothing`")
        );
        assert!(wrong("[source]\npython = 'gtk'").contains("`source` is one of"));
        assert!(wrong("[source]\ncrate = 'serde'\ndir = 'x'").contains("does not name `serde`"));
        let hash = "0".repeat(64);
        let archive = |dir: &str, hash: &str| {
            wrong(&format!(
                "[source]\ndebian = 'pool/x'\nsha256 = '{hash}'\ndir = '{dir}'"
            ))
        };
        assert!(archive("../x", &hash).contains("source.dir"));
        assert!(archive("x", "abc").contains("`abc` is no sha256"));
        assert!(wrong("patch = 1\n[source]\npython = 'zlib'").contains("unknown field `patch`"));
        assert!(parse(&"#\n".repeat(21)).contains("20 lines"));
    }
}
