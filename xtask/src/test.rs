//! `cargo xtask test`: every check and every test, in the order in which they are cheapest to fail.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::error::Error;
use crate::run;
use crate::suite::{self, Tally};

/// What to run, and how.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Runs only the tests whose name contains this, and no checks
    filter: Option<String>,
    /// On a machine that nobody watches
    #[arg(skip)]
    unwatched: bool,
}

impl Options {
    /// Everything, on a machine that nobody watches.
    pub(crate) fn ci() -> Self {
        Self {
            filter: None,
            unwatched: true,
        }
    }
}

/// One step: its title and what it does.
type Step<'a> = (&'static str, Box<dyn Fn() -> Result<Tally, Error> + 'a>);

/// Runs all steps, also after one failed, and says how long each took. `false` when anything failed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool, Error> {
    let cargo = |words: &[&str]| options.cargo(root, words);
    let checks: Vec<Step<'_>> = vec![
        (
            "format",
            Box::new(|| suite::single(cargo(&["fmt", "--all", "--check"]))),
        ),
        ("tidy", Box::new(|| crate::tidy(root).map(Tally::one))),
        (
            "clippy",
            Box::new(|| {
                suite::single(cargo(&[
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--",
                    "-D",
                    "warnings",
                ]))
            }),
        ),
        (
            "docs",
            Box::new(|| suite::single(docs(cargo(&["doc", "--workspace", "--no-deps"])))),
        ),
    ];
    let provision: Vec<Step<'_>> = vec![
        (
            "build",
            Box::new(|| suite::single(cargo(&["build", "--workspace"]))),
        ),
        (
            "python",
            Box::new(|| {
                suite::single(cargo(&[
                    "run",
                    "--package",
                    "pymode",
                    "--",
                    "python",
                    "build",
                ]))
            }),
        ),
    ];
    let contract: Step<'_> = (
        "contract",
        Box::new(|| crate::codegen(root, true, false).map(Tally::one)),
    );
    let tests: Step<'_> = (
        "tests",
        Box::new(|| suite::cargo_test(options.tests(root), &mut io::stdout())),
    );

    let mut steps = Vec::new();
    if options.filter.is_none() {
        steps.extend(checks);
    }
    steps.extend(provision);
    if options.filter.is_none() {
        steps.push(contract);
    }
    steps.push(tests);
    walk(&steps)
}

fn walk(steps: &[Step<'_>]) -> Result<bool, Error> {
    let started = Instant::now();
    let mut total = Tally::default();
    let mut table = Vec::new();
    for (title, step) in steps {
        eprintln!("\n── {title}");
        let started = Instant::now();
        let tally = step()?;
        let line = format!(
            "{title:<10} {:>8.1} s   {tally}",
            started.elapsed().as_secs_f64()
        );
        eprintln!("── {line}");
        table.push(line);
        total += tally;
    }
    println!(
        "\n{}\n{:<10} {:>8.1} s",
        table.join("\n"),
        "all",
        started.elapsed().as_secs_f64()
    );
    println!("{total}");
    Ok(total.failed == 0)
}

fn docs(mut command: Command) -> Command {
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

impl Options {
    /// A cargo command in the checkout, in the release profile: the engine is too slow for tests otherwise.
    fn cargo(&self, root: &Path, words: &[&str]) -> Command {
        let mut command = run::cargo();
        command.current_dir(root).arg(words[0]);
        if words[0] != "fmt" {
            command.arg("--release");
            if self.unwatched {
                command.arg("--locked");
            }
        }
        command.args(&words[1..]);
        if self.unwatched {
            command.envs([
                ("CARGO_TERM_PROGRESS_WHEN", "never"),
                ("CARGO_NET_RETRY", "10"),
                ("CARGO_INCREMENTAL", "0"),
            ]);
        }
        command
    }

    fn tests(&self, root: &Path) -> Command {
        let mut command = self.cargo(root, &["test", "--workspace", "--no-fail-fast"]);
        if let Some(filter) = &self.filter {
            command.arg("--").arg(filter);
        }
        command
    }
}
