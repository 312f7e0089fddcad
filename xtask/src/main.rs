//! The project's tasks. `cargo xtask --help` lists them.

mod codegen;
mod error;
mod packages;
mod run;
mod suite;
mod survey;
mod table;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pymode_toolchain::{Cache, Reporter, zig};

use crate::error::Error;

/// The project's tasks.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every check and test, and build what they need. The last line is `N passed, N failed`
    Test(test::Options),
    /// Run every check and test without progress bars, with `--locked`, and with retried downloads
    Ci,
    /// Generate files: the contract's export table, pymode.h and ABI.md
    Codegen {
        /// Write nothing; fail if a file is out of date
        #[arg(long)]
        check: bool,
        /// Keep the export table, instead of building CPython's archives and reading them
        #[arg(long)]
        no_build: bool,
    },
    /// Run the suites of the packages with a recipe, and write `extensions/PACKAGES.md`
    Packages(packages::Options),
    /// Build popular packages without a recipe, load their modules, and write `extensions/SURVEY.md`
    Survey(survey::Options),
    /// Check rules that the compiler does not: dependencies between crates, lengths, words
    Tidy,
}

fn main() -> ExitCode {
    let root = root();
    let done = match Args::parse().task {
        Task::Test(options) => Ok(test::run(&root, &options)),
        Task::Ci => Ok(test::run(&root, &test::Options::ci())),
        Task::Codegen { check, no_build } => codegen(&root, check, no_build),
        Task::Packages(options) => packages::run(&root, &options),
        Task::Survey(options) => survey::run(&root, &options),
        Task::Tidy => tidy(&root),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The checkout of this program.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

fn codegen(root: &Path, check: bool, no_build: bool) -> Result<bool, Error> {
    let sources = if no_build { None } else { Some(sources(root)?) };
    let report = codegen::run(root, sources.as_ref(), check)?;
    for change in &report.changes {
        eprintln!("{change}");
    }
    for path in &report.stale {
        eprintln!("{path}: {}", if check { "out of date" } else { "written" });
    }
    let good = !check || report.stale.is_empty();
    if !good {
        eprintln!("hint: run `cargo xtask codegen`");
    }
    Ok(good)
}

/// Builds Python, or finds it in the cache.
fn python() -> Result<(), Error> {
    let reporter = Reporter::stderr();
    let cache = Cache::open()?.with_reporter(&reporter);
    let options = pymode_python::Options::default();
    pymode_python::build(&cache, &reporter, options).map_err(Box::new)?;
    Ok(())
}

/// The archives to read, built if necessary.
fn sources(root: &Path) -> Result<codegen::Sources, Error> {
    let reporter = Reporter::stderr();
    let cache = Cache::open()?.with_reporter(&reporter);
    let inputs = pymode_python::link_inputs(&cache, &reporter).map_err(Box::new)?;
    Ok(codegen::Sources {
        zig: zig::provision(&cache, &reporter)?,
        python: inputs.python,
        headers: ["python/runtime/include", "toolchain/src/process/include"]
            .map(|headers| root.join(headers))
            .to_vec(),
        objects: inputs.objects,
        libc: inputs.libc,
    })
}

fn tidy(root: &Path) -> Result<bool, Error> {
    let findings = tidy::run(root)?;
    for finding in &findings {
        eprintln!("{finding}\n");
    }
    Ok(findings.is_empty())
}
