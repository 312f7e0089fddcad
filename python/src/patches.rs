//! Changes to upstream's source: one patch a file, with its reason at its head.

use std::fs;
use std::path::Path;

use pymode_toolchain::{Key, link_tree};

use crate::context::BuildContext;
use crate::error::Error;
use crate::files::{read, write};
use crate::source::{PythonSource, VERSION};

/// Name and text. A patch changes one file of CPython, the one behind `+++ b/`.
const PATCHES: &[(&str, &str)] = &[
    (
        "methodcaller-clear",
        include_str!("../patches/methodcaller-clear.patch"),
    ),
    (
        "sysconfig-root",
        include_str!("../patches/sysconfig-root.patch"),
    ),
];

/// The source as it is compiled for WASI. The native Python, which is only a tool, is upstream's.
pub(crate) fn provision(
    context: &BuildContext<'_>,
    source: &PythonSource,
) -> Result<PythonSource, Error> {
    let key = PATCHES
        .iter()
        .fold(Key::new("cpython-patched"), |key, (name, patch)| {
            key.field(name, patch)
        })
        .key("source", &source.key);
    let name = format!("Python-{VERSION}");
    let entry = context.cache.entry("sources", &key, |dir| {
        let tree = dir.join(&name);
        // Of what is not changed there is no second copy, and `make` sees the same times.
        link_tree(&source.dir, &tree)?;
        PATCHES
            .iter()
            .try_for_each(|(name, patch)| apply(&tree, name, patch))
    })?;
    Ok(PythonSource {
        key,
        dir: entry.join(name),
    })
}

fn apply(tree: &Path, name: &'static str, text: &str) -> Result<(), Error> {
    let refuse = |reason: String| Error::Patch { name, reason };
    // The reason comes first, and may hold anything.
    let diff = text
        .find("\n--- a/")
        .map(|at| &text[at + 1..])
        .ok_or_else(|| refuse("there is no line `--- a/…`".into()))?;
    let patch = diffy::Patch::from_str(diff).map_err(|error| refuse(error.to_string()))?;
    let file = patch
        .modified()
        .and_then(|file| file.strip_prefix("b/"))
        .ok_or_else(|| refuse("it does not say which file it changes".into()))?;
    let path = tree.join(file);
    let before = String::from_utf8(read(&path)?).map_err(|error| refuse(error.to_string()))?;
    let after = diffy::apply(&before, &patch).map_err(|error| refuse(error.to_string()))?;
    // The file is upstream's too, under another name: it is replaced, not written to.
    fs::remove_file(&path).map_err(Error::io("delete", &path))?;
    write(&path, after)
}

#[cfg(test)]
mod tests {
    use super::{PATCHES, apply};
    use crate::error::Error;
    use std::fs;

    const PATCH: &str = "Why.\n\n--- a/x.c\n+++ b/x.c\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n";

    #[test]
    fn every_patch_begins_with_its_reason() {
        for (name, patch) in PATCHES {
            let reason = patch.split("--- a/").next().unwrap_or_default();
            assert!(reason.len() > 100, "{name}");
        }
    }

    #[test]
    fn a_patch_changes_the_tree_and_not_what_it_was_linked_from() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        let upstream = dir.path().join("upstream.c");
        fs::write(&upstream, "a\nb\nc\n")?;
        fs::hard_link(&upstream, dir.path().join("x.c"))?;
        apply(dir.path(), "test", PATCH).expect("the patch fits");
        assert_eq!(fs::read_to_string(dir.path().join("x.c"))?, "a\nB\nc\n");
        assert_eq!(fs::read_to_string(upstream)?, "a\nb\nc\n");
        Ok(())
    }

    #[test]
    fn a_patch_that_does_not_fit_is_an_error() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join("x.c"), "quite\nother\nlines\n")?;
        for patch in [PATCH, "no patch", "Why.\n\n--- a/x.c\n+++ x.c\n"] {
            let error = apply(dir.path(), "test", patch).expect_err("it does not fit");
            assert!(
                matches!(error, Error::Patch { name: "test", .. }),
                "{error}"
            );
        }
        Ok(())
    }
}
