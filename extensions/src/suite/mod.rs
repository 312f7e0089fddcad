//! A package's own tests and the way to run them. The caller runs them, because it has the engines.

mod guess;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pymode_toolchain::{CacheError, Key};
use serde::{Deserialize, Serialize};

use crate::build::Builder;
use crate::error::Error;
use crate::recipe::{Recipe, TestRecipe};
use crate::sdist::copy_tree;
use crate::skips::{self, Skips};
use crate::spec::Spec;
use crate::wheel::Wheel;
use guess::Guess;

/// A test suite that is ready to run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Suite {
    /// The package and its version.
    pub what: String,
    /// The package's wheel.
    pub wheel: Wheel,
    /// Duration of the wheel's build. `None` for a wheel that was not built here.
    pub build_time: Option<Duration>,
    /// Directories to import from: the package and the requirements of its tests.
    pub site: Vec<PathBuf>,
    /// The working directory with the tests of the sdist. It is shared and read-only.
    pub dir: PathBuf,
    /// Extension modules that must be loaded from side modules for the run to be meaningful, by their dotted names.
    pub modules: Vec<String>,
    /// Reason why these are not the package's own tests, if they are not.
    pub proof: Option<String>,
    run: Vec<String>,
    skips: Skips,
    /// `true` if each skip must match a test.
    knows_skips: bool,
}

/// Files that the guest writes beside the tests.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The [`Outcome`], as JSON.
    pub report: &'a str,
    /// The name of the test that runs.
    pub running: &'a str,
}

/// The result of a suite, as the helper in the guest reports it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// Number of tests that passed.
    pub passed: u64,
    /// Names of the tests that failed.
    pub failed: Vec<String>,
    /// Number of skipped tests by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Load time of each extension module in milliseconds: `dl_open` and the module's init function.
    pub modules: BTreeMap<String, f64>,
}

impl Suite {
    /// Python's arguments: the helper that checks, skips and counts, followed by the recipe's. `more` goes to the test runner
    /// and may select tests.
    pub fn args(&self, more: &[String], files: Option<&Files<'_>>) -> Vec<String> {
        #[derive(Serialize)]
        struct Settings<'s> {
            skips: &'s Skips,
            modules: &'s [String],
            whole: bool,
            report: Option<&'s str>,
            running: Option<&'s str>,
        }
        let settings = serde_json::to_string(&Settings {
            skips: &self.skips,
            modules: &self.modules,
            whole: more.is_empty() && self.knows_skips,
            report: files.map(|files| files.report),
            running: files.map(|files| files.running),
        })
        .expect("text and numbers are JSON");
        // The tests' directory is shared, so the guest must not write bytecode there.
        let helper = ["-B", "-c", include_str!("../../helpers/suite.py")].map(String::from);
        helper
            .into_iter()
            .chain([settings])
            .chain(self.run.iter().chain(more).cloned())
            .collect()
    }
}

impl Outcome {
    /// Reads the guest's result. `None` when the guest did not get that far.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
    }
}

impl Builder<'_> {
    /// The tests of a package, from its recipe or else from its sdist.
    ///
    /// # Errors
    /// When there are no tests, or the package or a requirement of its tests is not available.
    pub fn suite(&self, spec: &Spec) -> Result<Suite, Error> {
        let wheel = self.build(spec)?;
        let name = wheel.name.name.clone();
        let what = format!("{name} {}", wheel.name.version);
        let Plan {
            test,
            modules,
            text,
            skips,
            knows_skips,
        } = self.plan(spec, &wheel, &what)?;

        let mut site = self.site(std::slice::from_ref(spec))?;
        site.extend(self.site_of_requirements(&test.requires, &[name.clone()].into())?);
        let mut seen = BTreeSet::new();
        site.retain(|dir| seen.insert(dir.clone()));

        let key = Key::new(&what.replace(' ', "-"))
            .field("wheel", wheel.path.to_string_lossy())
            .field("recipe", &text);
        let dir = self.cache.entry("suites", &key, |dir| {
            if test.from.is_empty() {
                return Ok::<_, Error>(());
            }
            let scratch = dir.join(".source");
            let (tree, _) = self.source(spec, &scratch)?;
            copy_tree(&tree, dir, &test.from)?;
            fs::remove_dir_all(&scratch).map_err(CacheError::io("delete", &scratch))?;
            for (file, edits) in &test.edits {
                edit(&what, &dir.join(file), edits)?;
            }
            Ok(())
        })?;
        Ok(Suite {
            what,
            build_time: build_time(&wheel),
            wheel,
            site,
            dir,
            modules: [modules, test.modules].concat(),
            proof: test.proof,
            run: test.run,
            skips,
            knows_skips,
        })
    }

    /// The test settings: the recipe's, or a guess from the sdist, which is reported.
    fn plan(&self, spec: &Spec, wheel: &Wheel, what: &str) -> Result<Plan, Error> {
        let name = &wheel.name.name;
        if let Some(recipe) = Recipe::find(name)?
            && let Some(test) = recipe.test
        {
            let is_its = recipe.version == wheel.name.version;
            return Ok(Plan {
                test,
                modules: if is_its {
                    recipe.modules
                } else {
                    modules_of(wheel)?
                },
                text: recipe.text.to_owned(),
                skips: skips::of(name),
                knows_skips: is_its,
            });
        }
        let no_tests = || Error::NoTests {
            what: name.to_string(),
        };
        if matches!(spec, Spec::Wheel(_)) {
            return Err(no_tests());
        }
        let scratch =
            tempfile::tempdir().map_err(CacheError::io("create", &std::env::temp_dir()))?;
        let (tree, _) = self.source(spec, &scratch.path().join("source"))?;
        let guess = match Guess::of(&tree)? {
            Some(guess) => guess,
            None => {
                let members = wheel.members()?;
                let names = members.iter().map(|member| member.name.as_str());
                Guess::among(names).ok_or_else(no_tests)?
            }
        };
        let Guess { test, source } = guess;
        let with = match test.requires.as_slice() {
            [] => String::new(),
            requires => format!(", with {}", requires.join(", ")),
        };
        self.reporter.println(&format!(
            "{what} has no recipe for its tests; trying `python {}`{with}, because {source}",
            test.run.join(" ")
        ));
        let modules = modules_of(wheel)?;
        Ok(Plan {
            text: format!("{test:?}"),
            skips: guess::skips(),
            knows_skips: false,
            test,
            modules,
        })
    }
}

/// Settings of a test run.
struct Plan {
    test: TestRecipe,
    /// The package's extension modules.
    modules: Vec<String>,
    /// All settings as text, for a key.
    text: String,
    skips: Skips,
    knows_skips: bool,
}

/// The extension modules of a wheel, by their dotted names.
fn modules_of(wheel: &Wheel) -> Result<Vec<String>, Error> {
    let modules = wheel.side_modules()?;
    Ok(modules.keys().filter_map(|path| dotted(path)).collect())
}

/// The name by which an extension module of a wheel is imported. `None` for a library, or outside an importable path.
fn dotted(path: &str) -> Option<String> {
    let stem = path.strip_suffix(pymode_abi::EXT_SUFFIX)?;
    let is_identifier = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let dotted = stem.replace('/', ".");
    dotted.split('.').all(is_identifier).then_some(dotted)
}

/// Edits a file of a suite. A text that is missing or not unique is an error: the recipe must follow the package.
fn edit(what: &str, path: &Path, edits: &BTreeMap<String, String>) -> Result<(), Error> {
    let mut text = fs::read_to_string(path).map_err(CacheError::io("read", path))?;
    for (from, to) in edits {
        let found = text.matches(from).count();
        if found != 1 {
            return Err(Error::Edit {
                what: what.to_owned(),
                path: path.to_path_buf(),
                text: from.clone(),
                found,
            });
        }
        text = text.replace(from, to);
    }
    Ok(fs::write(path, text).map_err(CacheError::io("write", path))?)
}

/// The file beside a cached wheel that holds the duration of its build in milliseconds.
pub(crate) const TIME: &str = "milliseconds";

fn build_time(wheel: &Wheel) -> Option<Duration> {
    let text = fs::read_to_string(wheel.path.with_file_name(TIME)).ok()?;
    Some(Duration::from_millis(text.parse().ok()?))
}
