//! The page: packages whose modules all load, those of which some load, and those that fail to build.

use std::collections::BTreeMap;
use std::fmt;

use super::outcome::Outcome;

const HEAD: &str = "# Survey

Written by `cargo xtask survey`. These are popular packages with code in C, C++, Rust or Cython, including some that need features which the guest lacks.
Each was built by `pymode ext build NAME` without preparation: its newest sdist, and no recipe unless it is in [`PACKAGES.md`](PACKAGES.md).
*Loaded* is the number of its extension modules that could be imported in the guest on wasmtime, all of them from `.wasm` files. *Build* is the
time of the whole command, including its dependencies, on a machine with other work; it is empty for a wheel from the cache.
";

const GOOD: &str = "| package | build | wheel | loaded | |";
const FAILED: &str = "| package | why |";

/// Each package's line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page(BTreeMap<String, String>);

impl Page {
    /// Existing lines, by package.
    pub(super) fn read(text: &str) -> Self {
        let rows = text.lines().filter_map(|line| {
            let name = line.strip_prefix("| ")?.split(' ').next()?;
            (name != "package").then(|| (name.to_owned(), line.to_owned()))
        });
        Self(rows.collect())
    }

    /// Keeps the lines of some packages.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| keep(name));
    }

    /// Takes lines from another page.
    pub(super) fn take(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns `true` if all of a package's modules load.
    pub(super) fn loads_all(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|row| all_load(row))
    }

    pub(super) fn put(&mut self, name: &str, outcome: &Outcome) {
        self.0.insert(name.to_owned(), outcome.row(name));
    }
}

fn is_built(row: &str) -> bool {
    row.matches('|').count() == GOOD.matches('|').count()
}

fn all_load(row: &str) -> bool {
    is_built(row) && row.ends_with("|  |")
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = || self.0.values().map(String::as_str);
        let good: Vec<&str> = rows().filter(|row| all_load(row)).collect();
        let part: Vec<&str> = rows()
            .filter(|row| is_built(row) && !all_load(row))
            .collect();
        let failed: Vec<&str> = rows().filter(|row| !is_built(row)).collect();
        f.write_str(HEAD)?;
        writeln!(
            f,
            "\n{} packages: {} build and load completely, {} load partly, {} do not build.",
            self.0.len(),
            good.len(),
            part.len(),
            failed.len()
        )?;
        for (title, head, rows) in [
            ("Built and loaded", GOOD, good),
            ("Partly loaded", GOOD, part),
            ("Not built", FAILED, failed),
        ] {
            if rows.is_empty() {
                continue;
            }
            let columns = head.matches('|').count() - 1;
            writeln!(f, "\n## {title}\n\n{head}\n|{}", "---|".repeat(columns))?;
            for row in rows {
                writeln!(f, "{row}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn what_is_written_is_read_again() {
        let rows =
            "| a 1 | 3 s | 2 KB | 1 of 1 |  |\n| b 2 |  | 2 KB | 1 of 2 | c: x |\n| d | no |\n";
        let page = Page::read(rows);
        let text = page.to_string();
        assert!(
            text.contains(
                "3 packages: 1 build and load completely, 1 load partly, 1 do not build."
            ),
            "{text}"
        );
        assert_eq!(Page::read(&text), page);
        assert!(page.loads_all("a") && !page.loads_all("b") && !page.loads_all("d"));
    }
}
