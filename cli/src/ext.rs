//! `pymode ext`: build, check and test C extensions.

mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pymode_ext::{Builder, Keep, Spec, Target};
use pymode_python::Options;

use crate::args::{Ext, Megabytes};
use crate::failure::Failure;
use crate::python::Context;

pub(crate) fn ext(verb: Ext) -> Result<ExitCode, Failure> {
    match verb {
        Ext::Build { specs, out, keep } => build(&specs, &out, keep),
        Ext::Check { paths } => check(&paths),
        Ext::Test {
            spec,
            engine,
            memory,
            report,
            args,
        } => test::test(&test::TestRun {
            spec: &spec,
            engine,
            memory: memory.unwrap_or(Megabytes::MOST),
            report: report.as_deref(),
            args: &args,
        }),
    }
}

impl Context {
    /// Builds extensions, with this program as the compiler, for the default form of the interpreter:
    /// all forms have one ABI, so a wheel that `add` built is not built again for a Worker.
    pub(crate) fn builder(&self) -> Result<Builder<'_>, Failure> {
        let driver = std::env::current_exe()?;
        let usual = pymode_python::build(&self.cache, &self.reporter, Options::default())?;
        Ok(Builder::new(
            &self.cache,
            &self.reporter,
            Target::from(&usual),
            &driver,
        ))
    }

    /// Directories that make packages importable, in the order of `specs`.
    pub(crate) fn sites(&self, specs: &[String]) -> Result<Vec<PathBuf>, Failure> {
        if specs.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.builder()?.site(&parse(specs)?)?)
    }

    /// Directories that make requirements and all their dependencies importable.
    pub(crate) fn requirements(&self, requirements: &[String]) -> Result<Vec<PathBuf>, Failure> {
        if requirements.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.builder()?.site_of(requirements)?)
    }
}

fn parse(specs: &[String]) -> Result<Vec<Spec>, Failure> {
    specs
        .iter()
        .map(|text| text.parse().map_err(Failure::usage))
        .collect()
}

fn build(specs: &[String], out: &Path, keep: bool) -> Result<ExitCode, Failure> {
    let specs = parse(specs)?;
    let context = Context::open()?;
    let builder = context
        .builder()?
        .keep(if keep { Keep::Yes } else { Keep::No });
    std::fs::create_dir_all(out).map_err(|e| Failure::file("create", out, &e))?;
    for spec in &specs {
        let wheel = builder.build(spec)?;
        println!("{}", copy_wheel(&wheel.path, out)?.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Copies a wheel under its own name, atomically.
fn copy_wheel(wheel: &Path, out: &Path) -> Result<PathBuf, Failure> {
    let name = wheel
        .file_name()
        .ok_or_else(|| Failure::usage("the wheel has no name"))?;
    let target = out.join(name);
    let copy = || {
        let partial = tempfile::NamedTempFile::new_in(out)?;
        std::fs::copy(wheel, partial.path())?;
        partial.persist(&target).map_err(|e| e.error)
    };
    copy().map_err(|e| Failure::file("write", &target, &e))?;
    Ok(target)
}

/// Prints the violations of each file. Exit code 1 if there are any.
pub(crate) fn check(paths: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut well = true;
    for path in paths {
        for report in pymode_ext::check(path)? {
            println!("{report}");
            well &= report.is_valid();
        }
    }
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
