//! Debian's archive through apt, without touching the machine's own package lists.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache::CacheError;

/// apt with lists and configuration of its own, below one directory.
pub(super) struct Apt {
    work: PathBuf,
}

impl Apt {
    pub(super) fn new(work: &Path, base: &str, suites: &[&str]) -> Result<Self, CacheError> {
        for dir in ["parts", "lists/partial", "cache/archives/partial"] {
            let dir = work.join(dir);
            fs::create_dir_all(&dir).map_err(CacheError::io("create", &dir))?;
        }
        let list = work.join("sources.list");
        let text: String = suites
            .iter()
            .map(|suite| format!("deb {base} {suite} main\n"))
            .collect();
        fs::write(&list, text).map_err(CacheError::io("write", &list))?;
        Ok(Self {
            work: work.to_path_buf(),
        })
    }

    pub(super) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        for (option, place) in [
            ("Dir::Etc::SourceList", "sources.list"),
            ("Dir::Etc::SourceParts", "parts"),
            ("Dir::State::Lists", "lists"),
            ("Dir::Cache", "cache"),
        ] {
            command
                .arg("-o")
                .arg(format!("{option}={}", self.work.join(place).display()));
        }
        // Its download user may not read a cache in a home directory.
        command
            .args(["-o", "APT::Sandbox::User=root"])
            .args(args)
            .current_dir(&self.work);
        command
    }
}

/// The first version in `apt-cache madison`'s table that is a packaging of upstream `version`.
pub(super) fn matching_version(table: &str, version: &str) -> Option<String> {
    table
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .find(|found| {
            found
                .strip_prefix(version)
                .is_some_and(|rest| rest.starts_with(['+', '-', '~']))
        })
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::matching_version;

    #[test]
    fn only_a_packaging_of_the_very_version_matches() {
        let table = " rust-src | 1.95.10+dfsg1-1 | http://a.test/debian sid/main\n\
                      rust-src | 1.95.1+dfsg1-2~bpo13+1 | http://a.test/debian trixie-backports/main\n";
        assert_eq!(
            matching_version(table, "1.95.1").as_deref(),
            Some("1.95.1+dfsg1-2~bpo13+1")
        );
        assert_eq!(matching_version(table, "1.95"), None);
    }
}
