//! Wheels: their names, their contents, and the check of RECORD.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use data_encoding::BASE64URL_NOPAD;
use pymode_abi::PLATFORM_TAG;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::name::ProjectName;
use crate::spec::SpecError;
use crate::version::Version;

/// Maximum number of bytes read of one wheel.
const LARGEST: u64 = 1 << 30;

/// A wheel that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WheelError {
    /// An invalid file name.
    #[error("invalid wheel name `{file}`: expected `NAME-VERSION-PYTHON-ABI-PLATFORM.whl`")]
    Name {
        /// The file's name.
        file: String,
    },
    /// A wheel for another platform.
    #[error(
        "`{file}` is for `{tag}`; expected `{}` or `py3-none-any`{}",
        pymode_abi::WHEEL_TAG,
        other_abi(tag)
    )]
    OtherPlatform {
        /// The file's name.
        file: String,
        /// Platform tag.
        tag: String,
    },
    /// A file that cannot be read.
    #[error("could not read the wheel `{}`: {reason}", path.display())]
    Damaged {
        /// The wheel.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}

fn other_abi(tag: &str) -> &'static str {
    if tag.starts_with("pymode_") {
        ", another version of the ABI\n  hint: build it again with `pymode ext build`"
    } else {
        ""
    }
}

/// The parts of a wheel's file name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WheelName {
    /// The project.
    pub name: ProjectName,
    /// Its version.
    pub version: Version,
    /// Python tags, such as `py3`.
    pub python: Vec<String>,
    /// ABI tags, such as `none`.
    pub abi: Vec<String>,
    /// Platform tags, such as `any`.
    pub platform: Vec<String>,
}

impl WheelName {
    /// Parses a file name.
    ///
    /// # Errors
    /// When it is not a wheel's.
    pub fn parse(file: &str) -> Result<Self, WheelError> {
        let wrong = || WheelError::Name {
            file: file.to_owned(),
        };
        let stem = file.strip_suffix(".whl").ok_or_else(wrong)?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, python, abi, platform) = match *parts {
            [name, version, python, abi, platform] => (name, version, python, abi, platform),
            [name, version, _build, python, abi, platform] => {
                (name, version, python, abi, platform)
            }
            _ => return Err(wrong()),
        };
        let tags = |tags: &str| tags.split('.').map(str::to_owned).collect();
        let wrong_part = |_: SpecError| wrong();
        Ok(Self {
            name: name.parse().map_err(wrong_part)?,
            version: version.parse().map_err(wrong_part)?,
            python: tags(python),
            abi: tags(abi),
            platform: tags(platform),
        })
    }

    /// Returns `true` for a pure Python wheel that runs anywhere.
    pub fn is_pure(&self) -> bool {
        let python = self
            .python
            .iter()
            .any(|tag| matches!(tag.as_str(), "py3" | "py313" | "cp313") || is_older_py3(tag));
        python
            && self.abi.iter().any(|tag| tag == "none")
            && self.platform.iter().any(|tag| tag == "any")
    }

    /// Returns `true` if the wheel was built for the guest.
    pub fn is_ours(&self) -> bool {
        self.platform.iter().any(|tag| tag == PLATFORM_TAG)
            && self
                .abi
                .iter()
                .any(|tag| matches!(tag.as_str(), "cp313" | "abi3" | "none"))
    }

    /// Fails unless the wheel can be installed in the guest.
    ///
    /// # Errors
    /// When it is for another platform.
    pub fn require_usable(&self, file: &str) -> Result<(), WheelError> {
        if self.is_pure() || self.is_ours() {
            return Ok(());
        }
        Err(WheelError::OtherPlatform {
            file: file.to_owned(),
            tag: self.platform.join("."),
        })
    }
}

/// `py37` and the like: a wheel for an older Python 3 without an ABI.
fn is_older_py3(tag: &str) -> bool {
    tag.strip_prefix("py3")
        .and_then(|minor| minor.parse::<u8>().ok())
        .is_some_and(|minor| minor <= 13)
}

/// A wheel on disk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Wheel {
    /// Path.
    pub path: PathBuf,
    /// Parts of its name.
    pub name: WheelName,
}

impl Wheel {
    /// Creates a wheel from its path. Reads only the name.
    ///
    /// # Errors
    /// When the name is not a wheel's.
    pub fn at(path: &Path) -> Result<Self, WheelError> {
        let file = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Self {
            path: path.to_path_buf(),
            name: WheelName::parse(&file)?,
        })
    }

    /// The file name.
    pub fn file(&self) -> String {
        self.path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// All files in it, in order.
    pub(crate) fn members(&self) -> Result<Vec<Member>, WheelError> {
        self.members_if(|_| true)
    }

    /// All side modules in it, by their paths.
    ///
    /// # Errors
    /// When the wheel cannot be read.
    pub fn side_modules(&self) -> Result<BTreeMap<String, Vec<u8>>, WheelError> {
        let members = self.members_if(is_side_module)?;
        Ok(members
            .into_iter()
            .map(|member| (member.name, member.bytes))
            .collect())
    }

    /// The text of METADATA.
    ///
    /// # Errors
    /// When the wheel cannot be read or has no METADATA.
    pub fn metadata(&self) -> Result<String, WheelError> {
        let is_metadata = |name: &str| is_in_dist_info(name, "METADATA");
        match self.members_if(is_metadata)?.first() {
            Some(member) => Ok(String::from_utf8_lossy(&member.bytes).into_owned()),
            None => Err(self.damaged("no METADATA")),
        }
    }

    /// Differences between RECORD and the contents, as sentences.
    ///
    /// # Errors
    /// When the wheel cannot be read.
    pub fn record_violations(&self) -> Result<Vec<String>, WheelError> {
        let (record, others): (Vec<Member>, Vec<Member>) = self
            .members()?
            .into_iter()
            .partition(|member| is_record(&member.name));
        let Some(record) = record.first() else {
            return Ok(vec!["no RECORD".to_owned()]);
        };
        let found = others
            .into_iter()
            .map(|member| (member.name, (digest(&member.bytes), member.bytes.len())));
        Ok(compare_record(
            &String::from_utf8_lossy(&record.bytes),
            found.collect(),
        ))
    }

    fn members_if(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<Member>, WheelError> {
        let mut zip = self.open()?;
        let mut members = Vec::new();
        let mut left = LARGEST;
        for n in 0..zip.len() {
            let entry = zip.by_index(n).map_err(|e| self.damaged(e))?;
            let name = entry.name().map_err(|e| self.damaged(e))?.into_owned();
            if entry.is_dir() || !wanted(&name) {
                continue;
            }
            let executable = entry.unix_mode().unwrap_or(0) & 0o111 != 0;
            let bytes = self.read(entry, left)?;
            left -= bytes.len() as u64;
            members.push(Member {
                name,
                executable,
                bytes,
            });
        }
        Ok(members)
    }

    fn open(&self) -> Result<ZipArchive<BufReader<File>>, WheelError> {
        let file = File::open(&self.path).map_err(|e| self.damaged(e))?;
        ZipArchive::new(BufReader::new(file)).map_err(|e| self.damaged(e))
    }

    fn read(&self, member: impl Read, most: u64) -> Result<Vec<u8>, WheelError> {
        let mut bytes = Vec::new();
        member
            .take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| self.damaged(e))?;
        if bytes.len() as u64 > most {
            return Err(self.damaged(format!("more than {LARGEST} bytes")));
        }
        Ok(bytes)
    }

    fn damaged(&self, reason: impl std::fmt::Display) -> WheelError {
        WheelError::Damaged {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }
}

/// A file in a wheel.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Path in the wheel.
    pub(crate) name: String,
    /// `true` for an executable file.
    pub(crate) executable: bool,
    /// Contents.
    pub(crate) bytes: Vec<u8>,
}

/// Returns `true` for a path of code for the guest: extension modules, and the libraries that they carry.
fn is_side_module(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.ends_with(".wasm") || file.ends_with(".so") || file.contains(".so.")
}

pub(crate) fn is_record(name: &str) -> bool {
    is_in_dist_info(name, "RECORD")
}

fn is_in_dist_info(name: &str, wanted: &str) -> bool {
    name.split_once('/')
        .is_some_and(|(dir, file)| dir.ends_with(".dist-info") && file == wanted)
}

/// A file's line in RECORD.
pub(crate) fn record_line(name: &str, bytes: &[u8]) -> String {
    let quoted = if name.contains([',', '"']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    };
    format!("{quoted},sha256={},{}\n", digest(bytes), bytes.len())
}

fn digest(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(bytes))
}

fn compare_record(record: &str, mut found: BTreeMap<String, (String, usize)>) -> Vec<String> {
    let mut faults = Vec::new();
    for line in record.lines().filter(|line| !line.is_empty()) {
        // Only the path can be quoted, so the line needs no CSV reader: hash and size contain no comma.
        let mut fields = line.rsplitn(3, ',');
        let (size, hash, path) = (fields.next(), fields.next(), fields.next());
        let (Some(size), Some(hash), Some(path)) = (size, hash, path) else {
            faults.push(format!("expected three fields in RECORD: `{line}`"));
            continue;
        };
        let unquoted = path
            .strip_prefix('"')
            .and_then(|path| path.strip_suffix('"'));
        let path = &unquoted.map_or_else(|| path.to_owned(), |path| path.replace("\"\"", "\""));
        if is_record(path)
            || path.ends_with(".dist-info/RECORD.jws")
            || path.ends_with(".dist-info/RECORD.p7s")
        {
            continue;
        }
        match found.remove(path) {
            None => faults.push(format!("RECORD names `{path}`, which does not exist")),
            Some((digest, length)) => {
                if hash
                    .strip_prefix("sha256=")
                    .is_none_or(|hash| hash.trim_end_matches('=') != digest)
                {
                    faults.push(format!("RECORD has another hash for `{path}`"));
                }
                if size.parse() != Ok(length) {
                    faults.push(format!("RECORD has another size for `{path}`"));
                }
            }
        }
    }
    faults.extend(
        found
            .into_keys()
            .map(|path| format!("RECORD does not name `{path}`")),
    );
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_where_a_wheel_runs() {
        let usable = |file: &str| WheelName::parse(file).and_then(|name| name.require_usable(file));
        for file in [
            "a-1.0-py3-none-any.whl",
            "a-1.0-py2.py3-none-any.whl",
            "a-1.0-1build-py37-none-any.whl",
            "a-1.0-cp313-cp313-pymode_1_wasm32.whl",
        ] {
            assert!(usable(file).is_ok(), "{file}");
        }
        for file in [
            "a-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
            "a-1.0-py2-none-any.whl",
            "a-1.0-py314-none-any.whl",
        ] {
            assert!(
                matches!(usable(file), Err(WheelError::OtherPlatform { .. })),
                "{file}"
            );
        }
        let other = usable("a-1.0-cp313-cp313-pymode_2_wasm32.whl")
            .expect_err("another ABI")
            .to_string();
        assert!(
            other.contains("pymode_2_wasm32") && other.contains("hint:"),
            "{other}"
        );
        assert!(WheelName::parse("a-1.0.whl").is_err());
    }

    #[test]
    fn record_and_contents_are_compared() {
        let found = BTreeMap::from([
            ("a.py".to_owned(), ("H".to_owned(), 3)),
            ("b,c.py".to_owned(), ("I".to_owned(), 1)),
        ]);
        let right = "a.py,sha256=H,3\n\"b,c.py\",sha256=I,1\nx.dist-info/RECORD,,\n";
        assert!(compare_record(right, found.clone()).is_empty());
        assert_eq!(
            compare_record("a.py,sha256=X,4\nd.py,sha256=H,3\n", found).len(),
            4
        );
    }
}
