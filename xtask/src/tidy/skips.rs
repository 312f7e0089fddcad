//! A test that is skipped is skipped with a reason: every key `skip` in a table of ours is a table of name and reason.

use toml::{Table, Value};

use super::Fault;
use super::tree::{File, Tree};

/// The folders whose TOML files may skip a test.
const FOLDERS: &[&str] = &["extensions", "loader", "tests"];

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let tables = tree.0.iter().filter(|file| {
        file.has_extension(&["toml"]) && FOLDERS.iter().any(|folder| file.is_under(folder))
    });
    tables.flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Fault> {
    match file.text.parse::<Table>() {
        Ok(table) => {
            let mut whats = Vec::new();
            faults(&table, &mut whats);
            let mend = "`skip = { \"name of the test\" = \"why\" }`";
            whats
                .into_iter()
                .map(|what| Fault::new(&file.path, what, mend))
                .collect()
        }
        Err(error) => vec![Fault::new(
            &file.path,
            format!("it is no TOML: {}", error.message()),
            "mend it",
        )],
    }
}

/// What is wrong with the skips of a table and of the tables in it.
fn faults(table: &Table, whats: &mut Vec<String>) {
    for (key, value) in table {
        match value {
            Value::Table(skips) if key == "skip" => {
                let bare = skips.iter().filter(|(_, why)| !is_reason(why));
                whats.extend(bare.map(|(name, _)| format!("`{name}` is skipped without a reason")));
            }
            _ if key == "skip" => whats.push("tests are skipped without a reason".to_owned()),
            Value::Table(inner) => faults(inner, whats),
            Value::Array(items) => items
                .iter()
                .filter_map(Value::as_table)
                .for_each(|inner| faults(inner, whats)),
            _ => {}
        }
    }
}

fn is_reason(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(text: &str) -> Vec<String> {
        check(&Tree(vec![File::new("extensions/recipes/a.toml", text)]))
            .into_iter()
            .map(|fault| fault.what)
            .collect()
    }

    #[test]
    fn a_skip_needs_its_reason() {
        assert!(whats("[test]\nskip = { \"test_fork\" = \"WASI has no fork\" }\n").is_empty());
        assert_eq!(
            whats("[test]\nskip = { \"test_fork\" = \"\" }\n"),
            ["`test_fork` is skipped without a reason"]
        );
        assert_eq!(
            whats("[[test]]\nskip = [\"test_fork\"]\n"),
            ["tests are skipped without a reason"]
        );
    }
}
