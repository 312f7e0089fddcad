//! `cargo xtask tidy`: checks rules that the compiler does not.
//!
//! Each rule is a function from the tree to its findings, and each finding has a fix.

mod boundaries;
mod form;
mod manifest;
mod prose;
mod skips;
mod tree;
mod words;

use std::fmt;
use std::path::Path;

use crate::error::Error;
use tree::Tree;

/// A violation of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, with a line if there is one.
    location: String,
    /// The violation.
    what: String,
    /// The command or the edit that fixes it.
    fix: String,
}

impl Finding {
    fn new(location: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            location: location.into(),
            what: what.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\nhint: {}", self.location, self.what, self.fix)
    }
}

/// Every violation in the checkout.
pub(crate) fn run(root: &Path) -> Result<Vec<Finding>, Error> {
    let tree = Tree::read(root)?;
    let mut findings = boundaries::check(&manifest::all(root, &tree)?);
    findings.extend(boundaries::engine_free(&tree));
    findings.extend(boundaries::folders(&tree));
    findings.extend(boundaries::checkout(&tree));
    findings.extend(words::check(&tree, &words::machine(root)));
    findings.extend(prose::check(&tree));
    findings.extend(prose::commits(root)?);
    findings.extend(form::check(&tree));
    findings.extend(skips::check(&tree));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask lies in the workspace");
        let findings = run(root).expect("the tree can be read");
        let list: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert!(list.is_empty(), "{}", list.join("\n\n"));
    }
}
