//! `pymode add`, `remove`, `lock`, `sync`: a project's dependencies.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use pymode_ext::{Prefer, Project, ProjectName, Requirement, SpecError};

use crate::args::InProject;
use crate::failure::Failure;
use crate::python::Context;

pub(crate) fn add(location: &InProject, requirements: &[String]) -> Result<ExitCode, Failure> {
    let requirements: Vec<Requirement> = parse(requirements)?;
    let project = Project::find(&location.project)?;
    let context = Context::open()?;
    let project = context.builder()?.add(project, &requirements)?;
    for added in &requirements {
        let mut all = project.requirements().iter();
        if let Some(written) = all.find(|one| one.name() == added.name()) {
            eprintln!("added {}", written.as_str());
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn remove(location: &InProject, names: &[String]) -> Result<ExitCode, Failure> {
    let names: Vec<ProjectName> = parse(names)?;
    let project = Project::find(&location.project)?;
    let context = Context::open()?;
    context.builder()?.remove(project, &names)?;
    for name in names {
        eprintln!("removed {name}");
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn lock(location: &InProject, upgrade: bool) -> Result<ExitCode, Failure> {
    let project = Project::find(&location.project)?;
    let context = Context::open()?;
    let prefer = if upgrade {
        Prefer::Newest
    } else {
        Prefer::Locked
    };
    let written = context.builder()?.lock(&project, prefer)?;
    eprintln!(
        "`pylock.toml` is {}",
        if written { "written" } else { "unchanged" }
    );
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn sync(location: &InProject) -> Result<ExitCode, Failure> {
    let project = Project::find(&location.project)?;
    for dir in Context::open()?.locked(&project)? {
        println!("{}", dir.display());
    }
    Ok(ExitCode::SUCCESS)
}

impl Context {
    /// Directories that make a project's locked dependencies importable.
    pub(crate) fn locked(&self, project: &Project) -> Result<Vec<PathBuf>, Failure> {
        Ok(self.builder()?.project_site(project)?)
    }
}

fn parse<T: FromStr<Err = SpecError>>(words: &[String]) -> Result<Vec<T>, Failure> {
    words
        .iter()
        .map(|word| word.parse().map_err(Failure::usage))
        .collect()
}
