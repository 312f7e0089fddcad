//! `cargo xtask codegen`: generates the export table from the archives' symbols, and the pages from the tables.

mod archive;
mod derive;
mod header;
mod headers;
mod page;
mod policy;
mod table;

use std::fs;
use std::path::Path;

use pymode_abi::model::{self, Exports};

use crate::error::Error;
pub(crate) use derive::Sources;
use policy::Policy;

/// A generated file and its expected content.
struct Generated {
    path: &'static str,
    text: String,
}

/// Result of a generation.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Files that were out of date.
    pub(crate) stale: Vec<&'static str>,
    /// Changes of the export table, one per line.
    pub(crate) changes: Vec<String>,
}

/// Generates the files. Without `sources` the export table is unchanged. With `check` nothing is written.
pub(crate) fn run(root: &Path, sources: Option<&Sources>, check: bool) -> Result<Report, Error> {
    let policy: Policy = parse(root, "abi/policy.toml", |text| toml::from_str(text))?;
    let imports = parse(root, "abi/imports.toml", model::imports)?;
    let written = parse(root, "abi/exports.toml", model::exports)?;
    let exports = match sources {
        Some(sources) => derive::exports(&policy, sources)?,
        None => written.clone(),
    };
    let files = [
        Generated {
            path: "abi/exports.toml",
            text: table::text(&exports),
        },
        Generated {
            path: "abi/include/pymode.h",
            text: header::text(&imports),
        },
        Generated {
            path: "abi/ABI.md",
            text: page::text(&imports, &exports, &policy),
        },
    ];
    let mut report = Report {
        changes: changes(&written, &exports),
        ..Report::default()
    };
    for file in files {
        let path = root.join(file.path);
        if fs::read_to_string(&path).ok().as_deref() == Some(&file.text) {
            continue;
        }
        report.stale.push(file.path);
        if !check {
            fs::write(&path, file.text).map_err(|source| Error::File { path, source })?;
        }
    }
    Ok(report)
}

fn parse<T, E>(
    root: &Path,
    path: &'static str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let file = root.join(path);
    let text = fs::read_to_string(&file).map_err(|source| Error::File { path: file, source })?;
    parse(&text).map_err(|source| Error::Table {
        path,
        source: Box::new(source),
    })
}

/// The difference of two export tables: removed, added and changed exports.
fn changes(old: &Exports, new: &Exports) -> Vec<String> {
    let gone = old
        .iter()
        .filter(|(name, _)| !new.contains_key(*name))
        .map(|(name, (why, kind))| format!("- {name}: {kind} ({why})"));
    let come = new
        .iter()
        .filter_map(|(name, (why, kind))| match old.get(name) {
            None => Some(format!("+ {name}: {kind} ({why})")),
            Some((old_why, old_kind)) if (old_why, old_kind) != (why, kind) => Some(format!(
                "~ {name}: {kind} ({why}), was {old_kind} ({old_why})"
            )),
            Some(_) => None,
        });
    gone.chain(come).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_what_the_tables_say() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask lies in the workspace");
        let report = run(root, None, true).expect("the tables can be read");
        assert!(
            report.stale.is_empty(),
            "{:?} is out of date\nhint: run `cargo xtask codegen`",
            report.stale
        );
    }

    #[test]
    fn a_change_says_what_it_was() {
        let table = |text: &str| model::exports(text).expect("it is a table");
        let old = table("[libc]\nabs = \"(i32) -> i32\"\nlabs = \"(i32) -> i32\"\n");
        let new = table("[libc]\nabs = \"(i64) -> i32\"\nllabs = \"(i64) -> i64\"\n");
        assert_eq!(
            changes(&old, &new),
            [
                "- labs: (i32) -> i32 (libc)",
                "~ abs: (i64) -> i32 (libc), was (i32) -> i32 (libc)",
                "+ llabs: (i64) -> i64 (libc)",
            ]
        );
    }
}
