//! `pymode ext`: build, check and test C extensions.

mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pymode_ext::{Builder, Keep, Spec, Target};
use pymode_python::Options;

use crate::args::{Ext, Megabytes};
use crate::failure::Failure;
use crate::python::Workshop;

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
        } => test::test(&test::Order {
            spec: &spec,
            engine,
            memory: memory.unwrap_or(Megabytes::MOST),
            report: report.as_deref(),
            args: &args,
        }),
    }
}

impl Workshop {
    /// What builds extensions, with this very command as the compiler. It builds them for the usual form of the interpreter,
    /// whichever this is: all forms have one ABI, and a wheel that `add` built is not built again for a Worker.
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

    /// The same for requirements in the words of packaging metadata, and all that they require.
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
    let workshop = Workshop::open()?;
    let builder = workshop
        .builder()?
        .keep(if keep { Keep::Yes } else { Keep::No });
    std::fs::create_dir_all(out).map_err(|e| Failure::file("create", out, &e))?;
    for spec in &specs {
        let wheel = builder.build(spec)?;
        println!("{}", place(&wheel.path, out)?.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Copies a wheel under its own name; a reader never sees half of it.
fn place(wheel: &Path, out: &Path) -> Result<PathBuf, Failure> {
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

/// Prints what is wrong with each file; exit code 1 if anything is.
pub(crate) fn check(paths: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut well = true;
    for path in paths {
        for report in pymode_ext::check(path)? {
            println!("{report}");
            well &= report.is_well();
        }
    }
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
