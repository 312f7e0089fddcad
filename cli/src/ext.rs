//! `pymode ext`: build, check and test C extensions.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pymode_ext::{Builder, Keep, Spec, Suite, Target};

use crate::args::{Engine, Ext};
use crate::failure::Failure;
use crate::job::Job;
use crate::python::Workshop;

pub(crate) fn ext(verb: Ext) -> Result<ExitCode, Failure> {
    match verb {
        Ext::Build { specs, out, keep } => build(&specs, &out, keep),
        Ext::Check { paths } => check(&paths),
        Ext::Test { spec, engine, args } => test(&spec, engine, args),
    }
}

impl Workshop {
    /// What builds extensions, with this very command as the compiler.
    fn builder(&self) -> Result<Builder<'_>, Failure> {
        let driver = std::env::current_exe()?;
        Ok(Builder::new(
            &self.cache,
            &self.talk,
            Target::from(&self.python),
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

fn test(spec: &str, engine: Engine, args: Vec<String>) -> Result<ExitCode, Failure> {
    let spec: Spec = spec.parse().map_err(Failure::usage)?;
    let workshop = Workshop::open()?;
    let mut suite = workshop.builder()?.suite(&spec)?;
    suite.args.extend(args);
    let run = |args: &[String]| in_the_guest(&workshop, engine, &suite, args);
    if !suite.modules.is_empty() && run(&proof(&suite))? != ExitCode::SUCCESS {
        return Ok(ExitCode::FAILURE);
    }
    run(&suite.args)
}

/// A program that fails unless each extension module comes from a side module: a suite that passes with the package's
/// Python fallback says nothing.
fn proof(suite: &Suite) -> [String; 2] {
    let modules: Vec<String> = suite
        .modules
        .iter()
        .map(|name| format!("{name:?}"))
        .collect();
    let program = format!(
        "import importlib, sys\n\
         for name in [{}]:\n\
         \x20   path = importlib.import_module(name).__file__\n\
         \x20   print(f'{{name}} is {{path}}', file=sys.stderr)\n\
         \x20   if not path.endswith('.wasm'):\n\
         \x20       sys.exit(f'error: `{{name}}` is not loaded from a side module')\n",
        modules.join(", ")
    );
    ["-c".into(), program]
}

fn in_the_guest(
    workshop: &Workshop,
    engine: Engine,
    suite: &Suite,
    args: &[String],
) -> Result<ExitCode, Failure> {
    // The suite's folder is shared by all who test this version, and tests write where they stand.
    let scratch = tempfile::tempdir()?;
    copy(&suite.dir, scratch.path()).map_err(|e| Failure::file("copy", &suite.dir, &e))?;
    let job = Job {
        args,
        sites: &suite.site,
        cwd: scratch.path(),
        file: None,
    };
    job.run(workshop, engine)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
