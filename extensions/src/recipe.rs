//! Recipes: what a package needs beyond what its own build does. Data, at most twenty lines, checked when parsed.

use std::collections::BTreeMap;

use pymode_toolchain::{Key, Sha256Hex};
use serde::Deserialize;

use crate::library::Library;
use crate::spec::{ProjectName, SpecError, Version};

/// The most lines of a recipe: what needs more belongs upstream.
const MOST_LINES: usize = 20;

/// All recipes: each file of `recipes/`, by its name.
const RECIPES: &[(&str, &str)] = &[
    ("aiohttp", include_str!("../recipes/aiohttp.toml")),
    (
        "charset-normalizer",
        include_str!("../recipes/charset-normalizer.toml"),
    ),
    ("frozenlist", include_str!("../recipes/frozenlist.toml")),
    ("kiwisolver", include_str!("../recipes/kiwisolver.toml")),
    ("markupsafe", include_str!("../recipes/markupsafe.toml")),
    ("msgpack", include_str!("../recipes/msgpack.toml")),
    ("multidict", include_str!("../recipes/multidict.toml")),
    ("numpy", include_str!("../recipes/numpy.toml")),
    ("pillow", include_str!("../recipes/pillow.toml")),
    ("propcache", include_str!("../recipes/propcache.toml")),
    (
        "pydantic-core",
        include_str!("../recipes/pydantic-core.toml"),
    ),
    ("pydantic", include_str!("../recipes/pydantic.toml")),
    ("pyyaml", include_str!("../recipes/pyyaml.toml")),
    ("rapidfuzz", include_str!("../recipes/rapidfuzz.toml")),
    ("regex", include_str!("../recipes/regex.toml")),
    (
        "ruamel-yaml-clib",
        include_str!("../recipes/ruamel-yaml-clib.toml"),
    ),
    ("simplejson", include_str!("../recipes/simplejson.toml")),
    ("sqlalchemy", include_str!("../recipes/sqlalchemy.toml")),
    ("tornado", include_str!("../recipes/tornado.toml")),
    ("ujson", include_str!("../recipes/ujson.toml")),
    ("yarl", include_str!("../recipes/yarl.toml")),
    ("zstandard", include_str!("../recipes/zstandard.toml")),
];

/// A recipe that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// Not what a recipe looks like.
    #[error("the recipe `{name}` is wrong: {source}")]
    Syntax {
        /// The recipe's name.
        name: String,
        /// What and where.
        source: Box<toml::de::Error>,
    },
    /// Too long.
    #[error("the recipe `{name}` has {lines} lines; {MOST_LINES} are allowed")]
    TooLong {
        /// The recipe's name.
        name: String,
        /// How many it has.
        lines: usize,
    },
    /// A value that means nothing.
    #[error("the recipe `{name}` is wrong: `{field}`: {reason}")]
    Value {
        /// The recipe's name.
        name: String,
        /// Which value.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// A recipe, checked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recipe {
    /// The project.
    pub name: ProjectName,
    /// The version that is built when none is named.
    pub version: Version,
    /// The sha256 of that version's sdist.
    pub sha256: Sha256Hex,
    /// Extension modules that the wheel must hold, by their dotted names.
    pub modules: Vec<String>,
    /// Environment variables of the build.
    pub env: BTreeMap<String, String>,
    /// C libraries that it is linked with.
    pub(crate) libraries: Vec<Library>,
    /// How its tests are run.
    pub test: Option<TestRecipe>,
    /// The text it was read from: part of the key of its test suite.
    pub text: &'static str,
}

/// How a package's own tests are run in the guest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TestRecipe {
    /// Requirements of the tests beside the package.
    pub requires: Vec<String>,
    /// Files and directories of the sdist that are laid beside the tests' working directory.
    pub from: Vec<String>,
    /// Extension modules of other packages that the tests would prove nothing without.
    pub modules: Vec<String>,
    /// Changes of such files: a text that is there once, and what stands there instead.
    pub edits: BTreeMap<String, BTreeMap<String, String>>,
    /// Why these are not the package's own tests, and what they prove.
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
    /// The recipe of a project, if it has one.
    ///
    /// # Errors
    /// When it has one that is wrong.
    pub fn find(name: &ProjectName) -> Result<Option<Self>, RecipeError> {
        match RECIPES.iter().find(|(recipe, _)| *recipe == name.as_str()) {
            Some((recipe, text)) => Self::parse(recipe, text).map(Some),
            None => Ok(None),
        }
    }

    /// The same for another version: it is built in the same way, but which modules come of it is not known.
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

    /// What a build depends on: a change of how the tests are run does not make another wheel.
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
                return Err(value("modules", format!("`{module}` is no dotted name")));
            }
        }
        if let Some(test) = &written.test {
            if test.run.is_empty() {
                return Err(value("test.run", "there is nothing to run".to_owned()));
            }
            for path in test.from.iter().chain(test.edits.keys()) {
                if path.starts_with('/')
                    || path.split('/').any(|part| matches!(part, "" | "." | ".."))
                {
                    return Err(value(
                        "test",
                        format!("`{path}` is no path inside the sdist"),
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
    fn every_file_is_a_recipe_and_every_recipe_is_right() {
        let mut files: Vec<String> =
            std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/recipes"))
                .expect("the directory is there")
                .map(|entry| {
                    entry
                        .expect("an entry")
                        .file_name()
                        .to_string_lossy()
                        .into_owned()
                })
                .collect();
        files.sort();
        let names: Vec<String> = Recipe::names().map(|name| format!("{name}.toml")).collect();
        assert_eq!(files, names, "add the recipe to `RECIPES`");
        for name in Recipe::names() {
            let name: ProjectName = name.parse().expect("a name");
            let recipe = Recipe::find(&name)
                .unwrap_or_else(|e| panic!("{e}"))
                .expect("it is listed");
            assert_eq!(recipe.name, name);
        }
        // Two files may be one project: `a-b.toml` and `a_b.toml`. `find` sees no name but those that are normal.
        for file in Recipe::names() {
            let name: ProjectName = file.parse().expect("a name");
            assert_eq!(file, name.as_str(), "call the recipe `{name}.toml`");
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
        assert!(parse("version = '1'\nsha256 = 'abc'".to_owned()).contains("`abc` is no sha256"));
        let test = "[test]\nrun = ['x']\nfrom = ['../x']";
        assert!(parse(format!("version = '1'\nsha256 = '{hash}'\n{test}")).contains("`../x`"));
        let libraries = "[build]\nlibraries = ['libgtk']";
        let said = parse(format!("version = '1'\nsha256 = '{hash}'\n{libraries}"));
        assert!(
            said.contains("`build.libraries`: there is no library `libgtk`; there are"),
            "{said}"
        );
        assert!(parse("#\n".repeat(21)).contains("21 lines"));
    }
}
