//! A project's `pyproject.toml`: reads and edits its dependencies, and leaves the rest as its author wrote it.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::CacheError;
use toml_edit::{Array, DocumentMut, Item, Value, table, value};

use crate::error::Error;
use crate::name::ProjectName;
use crate::pylock;
use crate::requirement::Requirement;
use crate::spec::SpecError;

const FILE: &str = "pyproject.toml";

/// A project on disk.
#[derive(Clone, Debug)]
pub struct Project {
    dir: PathBuf,
    document: DocumentMut,
    requirements: Vec<Requirement>,
}

impl Project {
    /// Finds the project of a directory: its own, or that of the nearest directory above.
    ///
    /// # Errors
    /// When there is none, or its `pyproject.toml` is invalid.
    pub fn find(dir: &Path) -> Result<Self, Error> {
        let start = fs::canonicalize(dir).map_err(CacheError::io("open", dir))?;
        let found = start.ancestors().find(|dir| dir.join(FILE).is_file());
        let Some(dir) = found else {
            return Err(Error::NoProject { dir: start });
        };
        let path = dir.join(FILE);
        let text = fs::read_to_string(&path).map_err(CacheError::io("read", &path))?;
        Self::parse(dir, &text).map_err(|reason| Error::Pyproject { path, reason })
    }

    /// Returns `true` if the project in a directory has a lock.
    pub fn is_locked(dir: &Path) -> bool {
        dir.join(pylock::FILE).is_file()
    }

    fn parse(dir: &Path, text: &str) -> Result<Self, String> {
        let document: DocumentMut = text.parse().map_err(|e| format!("{e}"))?;
        let mut requirements = Vec::new();
        match document.get("project").and_then(|p| p.get("dependencies")) {
            None => {}
            Some(Item::Value(Value::Array(list))) => {
                for entry in list {
                    let text = entry.as_str().ok_or_else(|| {
                        format!("expected a string in `project.dependencies`, found {entry}")
                    })?;
                    requirements.push(text.parse().map_err(|e: SpecError| e.to_string())?);
                }
            }
            Some(_) => return Err("expected a list as `project.dependencies`".to_owned()),
        }
        Ok(Self {
            dir: dir.to_path_buf(),
            document,
            requirements,
        })
    }

    /// The project's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The project's dependencies.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// The project with one more requirement, which replaces any for the same package.
    pub(crate) fn with(mut self, requirement: Requirement) -> Self {
        self.requirements
            .retain(|other| other.name() != requirement.name());
        let texts = self.list();
        texts.retain(|text| !is_about(text, requirement.name()));
        texts.push(requirement.as_str());
        self.requirements.push(requirement);
        self
    }

    /// The project without its requirement of a package. `None` if it has none.
    pub(crate) fn without(mut self, name: &ProjectName) -> Option<Self> {
        let before = self.requirements.len();
        self.requirements.retain(|other| other.name() != name);
        self.list().retain(|text| !is_about(text, name));
        (self.requirements.len() < before).then_some(self)
    }

    /// Path and text of the edited file.
    pub(crate) fn file(&self) -> (PathBuf, String) {
        (self.dir.join(FILE), self.document.to_string())
    }

    fn list(&mut self) -> &mut Array {
        let project = self.document.entry("project").or_insert_with(table);
        if project.get("dependencies").is_none() {
            project["dependencies"] = value(Array::new());
        }
        project["dependencies"]
            .as_array_mut()
            .expect("`parse` checks that it is a list")
    }
}

fn is_about(text: &Value, name: &ProjectName) -> bool {
    let requirement = text
        .as_str()
        .and_then(|text| text.parse::<Requirement>().ok());
    requirement.is_some_and(|requirement| requirement.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(text: &str) -> Project {
        Project::parse(Path::new("/p"), text).expect("it is right")
    }

    fn requirement(text: &str) -> Requirement {
        text.parse().expect("it is right")
    }

    #[test]
    fn an_edit_leaves_the_rest_as_it_was() {
        let text = "# mine\n[project]\nname = 'x' # so\ndependencies = [\n  'b>=1', # why\n]\n\n[tool.x]\na=1\n";
        let more = project(text).with(requirement("a==2"));
        let edited = more.file().1;
        assert!(
            edited.starts_with("# mine\n[project]\nname = 'x' # so\n"),
            "{edited}"
        );
        assert!(edited.ends_with("\n[tool.x]\na=1\n"), "{edited}");
        let texts: Vec<&str> = more
            .requirements()
            .iter()
            .map(Requirement::as_str)
            .collect();
        assert_eq!(texts, ["b>=1", "a==2"]);
        assert_eq!(project(&edited).requirements(), more.requirements());

        let less = more
            .without(&"B".parse().expect("a name"))
            .expect("it was there");
        assert_eq!(
            project(&less.file().1).requirements(),
            [requirement("a==2")]
        );
        assert!(less.without(&"c".parse().expect("a name")).is_none());
    }

    #[test]
    fn a_package_is_required_once() {
        let project = project("[project]\nname = 'x'").with(requirement("Foo_Bar>1"));
        let project = project.with(requirement("foo-bar==2"));
        assert_eq!(project.requirements(), [requirement("foo-bar==2")]);
        assert!(
            project.file().1.contains("[\"foo-bar==2\"]"),
            "{}",
            project.file().1
        );
    }

    #[test]
    fn what_is_no_list_of_requirements_is_refused() {
        for text in [
            "[project]\ndependencies = 'x'",
            "[project]\ndependencies = [1]",
            "[project]\ndependencies = ['>1']",
            "[",
        ] {
            assert!(Project::parse(Path::new("/p"), text).is_err(), "{text}");
        }
    }
}
