//! A package's own tests: where they are and how they are run. Running them is the caller's: it has the engines.

use std::fs;
use std::path::PathBuf;

use pymode_toolchain::{CacheError, Key};

use crate::build::Builder;
use crate::error::Error;
use crate::recipe::Recipe;
use crate::sdist::copy_tree;
use crate::skips;
use crate::spec::{ProjectName, Spec};
use crate::wheel::WheelName;

/// A test suite that is ready to run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Suite {
    /// The package and its version.
    pub what: String,
    /// What must be importable: the package, built, and what its tests require.
    pub site: Vec<PathBuf>,
    /// The working directory, which holds the tests of the sdist. It is shared and not to be written to.
    pub dir: PathBuf,
    /// Python's arguments.
    pub args: Vec<String>,
    /// Extension modules that must be loaded from side modules for the run to mean anything, by their dotted names.
    pub modules: Vec<String>,
}

impl Builder<'_> {
    /// The tests of a package, as its recipe says.
    ///
    /// # Errors
    /// When no recipe says how; when the package or what its tests require cannot be had.
    pub fn suite(&self, spec: &Spec) -> Result<Suite, Error> {
        let wheel = self.build(spec)?;
        let recipe = Recipe::find(&wheel.name.name)?;
        let no_tests = || Error::NoTests {
            what: wheel.name.name.to_string(),
        };
        let recipe = recipe.ok_or_else(no_tests)?;
        let test = recipe.test.clone().ok_or_else(no_tests)?;

        let mut site = self.site(std::slice::from_ref(spec))?;
        site.extend(self.site_of_requirements(&test.requires, &[wheel.name.name.clone()].into())?);

        let key = Key::new(&label(&wheel.name))
            .field("wheel", wheel.path.to_string_lossy())
            .field("recipe", recipe.text);
        let dir = self.cache.entry("suites", &key, |dir| {
            if test.from.is_empty() {
                return Ok::<_, Error>(());
            }
            let scratch = dir.join(".source");
            let (tree, _) = self.source(spec, &scratch)?;
            copy_tree(&tree, dir, &test.from)?;
            fs::remove_dir_all(&scratch).map_err(CacheError::io("delete", &scratch))?;
            Ok(())
        })?;
        Ok(Suite {
            what: format!("{} {}", wheel.name.name, wheel.name.version),
            site,
            dir,
            args: args(&wheel.name.name, test.run),
            modules: recipe.modules,
        })
    }
}

/// What Python runs: the helper that skips, and behind it what the recipe says.
fn args(project: &ProjectName, run: Vec<String>) -> Vec<String> {
    let skips = serde_json::to_string(&skips::of(project)).expect("text by text is JSON");
    // The tests' directory is shared, and its bytecode would be the guest's to write.
    let helper = ["-B", "-c", include_str!("../helpers/suite.py")].map(String::from);
    helper.into_iter().chain([skips]).chain(run).collect()
}

fn label(wheel: &WheelName) -> String {
    let name: &ProjectName = &wheel.name;
    format!("{name}-{}", wheel.version)
}
