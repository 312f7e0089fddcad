//! `pymode add`, `remove`, `lock`, `sync`: what a project depends on.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use pymode_ext::{Prefer, Project, ProjectName, Requirement, SpecError};

use crate::args::InProject;
use crate::failure::Failure;
use crate::python::Workshop;

pub(crate) fn add(place: &InProject, requirements: &[String]) -> Result<ExitCode, Failure> {
    let requirements: Vec<Requirement> = parse(requirements)?;
    let project = Project::find(&place.project)?;
    let workshop = Workshop::open()?;
    let project = workshop.builder()?.add(project, &requirements)?;
    for added in &requirements {
        let mut all = project.requirements().iter();
        if let Some(written) = all.find(|one| one.name() == added.name()) {
            eprintln!("added {}", written.as_str());
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn remove(place: &InProject, names: &[String]) -> Result<ExitCode, Failure> {
    let names: Vec<ProjectName> = parse(names)?;
    let project = Project::find(&place.project)?;
    let workshop = Workshop::open()?;
    workshop.builder()?.remove(project, &names)?;
    for name in names {
        eprintln!("removed {name}");
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn lock(place: &InProject, upgrade: bool) -> Result<ExitCode, Failure> {
    let project = Project::find(&place.project)?;
    let workshop = Workshop::open()?;
    let prefer = if upgrade {
        Prefer::Newest
    } else {
        Prefer::Locked
    };
    let written = workshop.builder()?.lock(&project, prefer)?;
    eprintln!(
        "`pylock.toml` {}",
        if written {
            "is written"
        } else {
            "is as it was"
        }
    );
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn sync(place: &InProject) -> Result<ExitCode, Failure> {
    let project = Project::find(&place.project)?;
    for dir in Workshop::open()?.locked(&project)? {
        println!("{}", dir.display());
    }
    Ok(ExitCode::SUCCESS)
}

impl Workshop {
    /// Directories that make importable what a project depends on, as its lock says.
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
