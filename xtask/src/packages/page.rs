//! The page: three tables in which each line belongs to a package.

use std::collections::BTreeMap;
use std::fmt;

use super::report::Results;

const HEAD: &str = "# Packages whose own tests run in the guest

Written by `cargo xtask packages`; `cargo xtask packages NAME…` updates the rows of some. Each row is two runs of `pymode ext test`, one on
wasmtime and one with `--engine workerd` in a Durable Object. The wheel is built from the sdist by its own backend, and the suite only starts
when the extension modules were loaded from `.wasm` files. Packages that are not listed may build just as well: a recipe is only needed for test
settings and exceptions.

*Build* is the time of the build without downloads, on a machine with other work. *Load* is the time of `dl_open` and the modules' own init
functions: on wasmtime from compiled code in the cache (seconds: compiled just then), in workerd after V8 has compiled it. Tests are counted as
passed / failed / skipped.
";

const RESULTS: &str = "| package | build | wheel | wasmtime | load | workerd | load |";
const SKIPPED: &str = "| package | skipped | why |";
const FAILED: &str = "| package | engine | failed |";

/// A package's lines in a table.
type Table = BTreeMap<String, Vec<String>>;

/// Content of the page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    results: Table,
    skipped: Table,
    failed: Table,
}

impl Page {
    /// Existing lines, by package.
    pub(super) fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut table = None;
        for line in text.lines() {
            match line {
                RESULTS => table = Some(&mut page.results),
                SKIPPED => table = Some(&mut page.skipped),
                FAILED => table = Some(&mut page.failed),
                _ => {}
            }
            let name = line
                .strip_prefix("| ")
                .and_then(|rest| rest.split(' ').next());
            if let (Some(table), Some(name)) = (table.as_mut(), name)
                && name != "package"
            {
                table
                    .entry(name.to_owned())
                    .or_default()
                    .push(line.to_owned());
            }
        }
        page
    }

    /// Keeps the lines of some packages.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        for table in [&mut self.results, &mut self.skipped, &mut self.failed] {
            table.retain(|name, _| keep(name));
        }
    }

    /// Replaces a package's lines.
    pub(super) fn put(&mut self, name: &str, results: &Results) {
        for (table, lines) in [
            (&mut self.results, vec![results.row(name)]),
            (&mut self.skipped, results.skipped(name)),
            (&mut self.failed, results.failed(name)),
        ] {
            table.insert(name.to_owned(), lines);
        }
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        write_table(f, "", RESULTS, &self.results)?;
        let skipped = "\n## Skipped\n\n`skips.toml` lists the tests that are skipped by name, each with its reason. Tests that a suite skips itself are counted as its own condition.\n";
        write_table(f, skipped, SKIPPED, &self.skipped)?;
        write_table(f, "\n## Failed\n", FAILED, &self.failed)
    }
}

fn write_table(f: &mut fmt::Formatter<'_>, before: &str, head: &str, table: &Table) -> fmt::Result {
    if table.values().all(Vec::is_empty) {
        return Ok(());
    }
    let columns = head.matches('|').count() - 1;
    writeln!(f, "{before}\n{head}\n|{}", "---|".repeat(columns))?;
    for line in table.values().flatten() {
        writeln!(f, "{line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{FAILED, HEAD, Page, RESULTS, SKIPPED};

    #[test]
    fn what_is_written_is_read_again() {
        let text = format!(
            "{HEAD}\n{RESULTS}\n|---|---|---|---|---|---|---|\n| a-b 1.0 | 2 s |\n| c | fails |\n
## Skipped\n\n`skips.toml` lists the tests that are skipped by name, each with its reason. Tests that a suite skips itself are counted as its own condition.\n
{SKIPPED}\n|---|---|---|\n| c | 2 | x |\n| c | 3 | y |\n\n## Failed\n\n{FAILED}\n|---|---|---|\n| a-b | workerd | t |\n"
        );
        let mut page = Page::read(&text);
        assert_eq!(page.to_string(), text);
        page.retain(|name| name == "c");
        let text = page.to_string();
        assert!(!text.contains("a-b") && !text.contains("Failed"), "{text}");
    }
}
