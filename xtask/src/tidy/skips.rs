//! Skipped tests have a reason: every key `skip` in a TOML file is a table of names and reasons.

use toml::{Table, Value};

use super::Finding;
use super::tree::{File, Tree};

/// Folders whose TOML files may skip a test.
const FOLDERS: &[&str] = &["extensions", "loader", "tests"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let tables = tree.0.iter().filter(|file| {
        file.has_extension(&["toml"]) && FOLDERS.iter().any(|folder| file.is_under(folder))
    });
    tables.flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    match file.text.parse::<Table>() {
        Ok(table) => {
            let mut whats = Vec::new();
            findings(&table, &mut whats);
            let fix = "`skip = { \"name of the test\" = \"why\" }`";
            whats
                .into_iter()
                .map(|what| Finding::new(&file.path, what, fix))
                .collect()
        }
        Err(error) => vec![Finding::new(
            &file.path,
            format!("invalid TOML: {}", error.message()),
            "correct it",
        )],
    }
}

/// Finds skips without a reason in a table and the tables in it.
fn findings(table: &Table, whats: &mut Vec<String>) {
    for (key, value) in table {
        match value {
            Value::Table(skips) if key == "skip" => {
                let bare = skips.iter().filter(|(_, why)| !is_reason(why));
                whats.extend(bare.map(|(name, _)| format!("`{name}` is skipped without a reason")));
            }
            _ if key == "skip" => whats.push("tests are skipped without a reason".to_owned()),
            Value::Table(inner) => findings(inner, whats),
            Value::Array(items) => items
                .iter()
                .filter_map(Value::as_table)
                .for_each(|inner| findings(inner, whats)),
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
            .map(|finding| finding.what)
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
