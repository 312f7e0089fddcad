//! A package's own tests: where they are and how they are run. Running them is the caller's: it has the engines.

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
    /// The package, built.
    pub wheel: Wheel,
    /// How long building it took, whenever that was; none for a wheel that nobody here has built.
    pub build_time: Option<Duration>,
    /// What must be importable: the package, and what its tests require.
    pub site: Vec<PathBuf>,
    /// The working directory, which holds the tests of the sdist. It is shared and not to be written to.
    pub dir: PathBuf,
    /// Extension modules that must be loaded from side modules for the run to mean anything, by their dotted names.
    pub modules: Vec<String>,
    /// Why these are not the package's own tests, if they are not.
    pub proof: Option<String>,
    run: Vec<String>,
    skips: Skips,
    /// Whether each skip must match a test.
    knows_skips: bool,
}

/// What the guest writes beside the tests.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The [`Outcome`], as JSON.
    pub report: &'a str,
    /// The name of the test that runs.
    pub running: &'a str,
}

/// How a suite ended, as the helper in the guest tells it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// How many tests passed.
    pub passed: u64,
    /// The names of those that did not.
    pub failed: Vec<String>,
    /// How many were skipped, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// How long loading each extension module took, in milliseconds: `dl_open` and the module's own init.
    pub modules: BTreeMap<String, f64>,
}

impl Suite {
    /// Python's arguments: the helper that proves, skips and counts, and behind it what the recipe says. `more` goes to the
    /// test runner, and may choose among the tests.
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
        // The tests' directory is shared, and its bytecode would be the guest's to write.
        let helper = ["-B", "-c", include_str!("../../helpers/suite.py")].map(String::from);
        helper
            .into_iter()
            .chain([settings])
            .chain(self.run.iter().chain(more).cloned())
            .collect()
    }
}

impl Outcome {
    /// Reads what the guest wrote; none when it did not come that far.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
    }
}

impl Builder<'_> {
    /// The tests of a package, as its recipe says, or else its sdist.
    ///
    /// # Errors
    /// When neither says how; when the package or what its tests require cannot be had.
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

    /// How the tests are to be run: as the recipe says, or as it seems from the sdist, which is told.
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

/// How a suite is run.
struct Plan {
    test: TestRecipe,
    /// The package's extension modules.
    modules: Vec<String>,
    /// All of it as text, for a key.
    text: String,
    skips: Skips,
    knows_skips: bool,
}

/// The extension modules of a wheel, by their dotted names.
fn modules_of(wheel: &Wheel) -> Result<Vec<String>, Error> {
    let modules = wheel.side_modules()?;
    Ok(modules.keys().filter_map(|path| dotted(path)).collect())
}

/// The name that an extension module in a wheel is imported by; none for what is a library, or lies where nothing is imported from.
fn dotted(path: &str) -> Option<String> {
    let stem = path.strip_suffix(pymode_abi::EXT_SUFFIX)?;
    let is_identifier = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let dotted = stem.replace('/', ".");
    dotted.split('.').all(is_identifier).then_some(dotted)
}

/// Changes a file of a suite; a text that is not there, or more than once, is an error: the recipe must follow the package.
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

/// The file beside a wheel in the cache that says how many milliseconds its build took.
pub(crate) const TIME: &str = "milliseconds";

fn build_time(wheel: &Wheel) -> Option<Duration> {
    let text = fs::read_to_string(wheel.path.with_file_name(TIME)).ok()?;
    Some(Duration::from_millis(text.parse().ok()?))
}
