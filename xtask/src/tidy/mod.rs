//! `cargo xtask tidy`: the rules that the compiler does not hold.
//!
//! Each rule is a function from the tree to the places that break it; each place says how it is mended.

mod boundaries;
mod form;
mod manifest;
mod skips;
mod tree;
mod words;

use std::fmt;
use std::path::Path;

use crate::error::Error;
use tree::Tree;

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The file, with a line when there is one.
    place: String,
    /// What is wrong.
    what: String,
    /// The command or the edit that mends it.
    mend: String,
}

impl Fault {
    fn new(place: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
            mend: mend.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\nhint: {}", self.place, self.what, self.mend)
    }
}

/// Every place in the checkout that breaks a rule.
pub(crate) fn run(root: &Path) -> Result<Vec<Fault>, Error> {
    let tree = Tree::read(root)?;
    let mut faults = boundaries::check(&manifest::all(root, &tree)?);
    faults.extend(boundaries::engine_free(&tree));
    faults.extend(words::check(&tree, &words::machine(root)));
    faults.extend(form::check(&tree));
    faults.extend(skips::check(&tree));
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask lies in the workspace");
        let faults = run(root).expect("the tree can be read");
        let list: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert!(list.is_empty(), "{}", list.join("\n\n"));
    }
}
