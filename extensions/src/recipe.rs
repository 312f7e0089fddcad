//! Recipes: build settings of packages that need more than their own build. Data of at most twenty lines, checked when parsed.

use std::collections::BTreeMap;

use pymode_toolchain::{Key, Sha256Hex};
use serde::Deserialize;

use crate::library::Library;
use crate::name::ProjectName;
use crate::spec::SpecError;
use crate::version::Version;

/// Maximum number of lines of a recipe. Larger changes belong upstream.
const MOST_LINES: usize = 20;

/// All recipes: the name and the text of each file of `recipes/`, from the build script.
const RECIPES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/recipes.rs"));

/// An invalid recipe.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// Invalid TOML or an unknown field.
    #[error("invalid recipe `{name}`: {source}")]
    Syntax {
        /// The recipe's name.
        name: String,
        /// The parser's error.
        source: Box<toml::de::Error>,
    },
    /// Too long.
    #[error("invalid recipe `{name}`: {lines} lines, at most {MOST_LINES} are allowed")]
    TooLong {
        /// The recipe's name.
        name: String,
        /// Number of lines.
        lines: usize,
    },
    /// An invalid value.
    #[error("invalid recipe `{name}`: `{field}`: {reason}")]
    Value {
        /// The recipe's name.
        name: String,
        /// The field.
        field: &'static str,
        /// The reason.
        reason: String,
    },
}

/// A valid recipe.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recipe {
    /// The project.
    pub name: ProjectName,
    /// Default version.
    pub version: Version,
    /// sha256 of that version's sdist.
    pub sha256: Sha256Hex,
    /// Extension modules that the wheel must contain, by their dotted names.
    pub modules: Vec<String>,
    /// Environment variables of the build.
    pub env: BTreeMap<String, String>,
    /// C libraries to link with.
    pub(crate) libraries: Vec<Library>,
    /// Test settings.
    pub test: Option<TestRecipe>,
    /// Source text: part of the key of the test suite.
    pub text: &'static str,
}

/// Settings for running a package's own tests in the guest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TestRecipe {
    /// Requirements of the tests besides the package.
    pub requires: Vec<String>,
    /// Files and directories of the sdist to copy beside the tests' working directory.
    pub from: Vec<String>,
    /// Extension modules of other packages that must be loaded for the tests to be meaningful.
    pub modules: Vec<String>,
    /// Edits of such files: a text that occurs once, and its replacement.
    pub edits: BTreeMap<String, BTreeMap<String, String>>,
    /// Reason why these are not the package's own tests, and what they prove.
    pub proof: Option<String>,
    /// Python's arguments.
    pub run: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: String,
    sha256: String,
    #[serde(default)]
    modules: Vec<String>,
    #[serde(default)]
    build: WrittenBuild,
    test: Option<TestRecipe>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WrittenBuild {
    env: BTreeMap<String, String>,
    libraries: Vec<String>,
}

impl Recipe {
    /// Returns the recipe of a project, if it has one.
    ///
    /// # Errors
    /// When the recipe is invalid.
    pub fn find(name: &ProjectName) -> Result<Option<Self>, RecipeError> {
        match RECIPES.iter().find(|(recipe, _)| *recipe == name.as_str()) {
            Some((recipe, text)) => Self::parse(recipe, text).map(Some),
            None => Ok(None),
        }
    }

    /// The recipe for another version: the same build, but the modules are unknown.
    pub(crate) fn for_version(mut self, version: &Version) -> Self {
        if self.version != *version {
            self.modules.clear();
        }
        self
    }

    /// The names of all recipes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        RECIPES.iter().map(|(name, _)| *name)
    }

    /// The key of the build settings: a change of the test settings does not rebuild the wheel.
    pub(crate) fn build_key(&self) -> Key {
        let mut key = Key::new("recipe").field("modules", self.modules.join(" "));
        for (name, value) in &self.env {
            key = key.field(name, value);
        }
        for library in &self.libraries {
            key = key.key("library", &library.key());
        }
        key
    }

    fn parse(name: &str, text: &'static str) -> Result<Self, RecipeError> {
        let lines = text.lines().count();
        if lines > MOST_LINES {
            return Err(RecipeError::TooLong {
                name: name.to_owned(),
                lines,
            });
        }
        let written: Written = toml::from_str(text).map_err(|e| RecipeError::Syntax {
            name: name.to_owned(),
            source: Box::new(e),
        })?;
        let value = |field, reason: String| RecipeError::Value {
            name: name.to_owned(),
            field,
            reason,
        };
        let of_tests = written.test.iter().flat_map(|test| &test.modules);
        for module in written.modules.iter().chain(of_tests) {
            let is_identifier = |part: &str| {
                !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            if !module.split('.').all(is_identifier) {
                return Err(value("modules", format!("invalid module name `{module}`")));
            }
        }
        if let Some(test) = &written.test {
            if test.run.is_empty() {
                return Err(value(
                    "test.run",
                    "expected at least one argument".to_owned(),
                ));
            }
            for path in test.from.iter().chain(test.edits.keys()) {
                if path.starts_with('/')
                    || path.split('/').any(|part| matches!(part, "" | "." | ".."))
                {
                    return Err(value(
                        "test",
                        format!("`{path}` is not a path inside the sdist"),
                    ));
                }
            }
        }
        let libraries = written.build.libraries.iter();
        let libraries: Vec<Library> = libraries
            .map(|name| Library::find(name))
            .collect::<Result<_, _>>()
            .map_err(|reason| value("build.libraries", reason))?;
        Ok(Self {
            libraries,
            name: name
                .parse()
                .map_err(|e: SpecError| value("name", e.to_string()))?,
            version: written
                .version
                .parse()
                .map_err(|e: SpecError| value("version", e.to_string()))?,
            sha256: written
                .sha256
                .parse()
                .map_err(|e: pymode_toolchain::sha256::NotASha256| {
                    value("sha256", e.to_string())
                })?,
            modules: written.modules,
            env: written.build.env,
            test: written.test,
            text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_parses() {
        for name in Recipe::names() {
            let name: ProjectName = name.parse().expect("a name");
            let recipe = Recipe::find(&name)
                .unwrap_or_else(|e| panic!("{e}"))
                .expect("it is listed");
            assert_eq!(recipe.name, name);
        }
        assert!(RECIPES.iter().any(|(name, _)| *name == "markupsafe"));
        // Two files could name one project, `a-b.toml` and `a_b.toml`. `find` only finds normalised names.
        for file in Recipe::names() {
            let name: ProjectName = file.parse().expect("a name");
            assert_eq!(file, name.as_str(), "rename the recipe to `{name}.toml`");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let hash = "0".repeat(64);
        let parse = |text: String| {
            Recipe::parse("x", text.leak())
                .expect_err("it is wrong")
                .to_string()
        };
        assert!(
            parse(format!("version = '1'\nsha256 = '{hash}'\npatch = 1"))
                .contains("unknown field `patch`")
        );
        assert!(parse("version = '1'\nsha256 = 'abc'".to_owned()).contains("`abc`"));
        let test = "[test]\nrun = ['x']\nfrom = ['../x']";
        assert!(parse(format!("version = '1'\nsha256 = '{hash}'\n{test}")).contains("`../x`"));
        let libraries = "[build]\nlibraries = ['libgtk']";
        let said = parse(format!("version = '1'\nsha256 = '{hash}'\n{libraries}"));
        assert!(
            said.contains("`build.libraries`: unknown library `libgtk`"),
            "{said}"
        );
        assert!(parse("#\n".repeat(21)).contains("21 lines"));
    }
}
