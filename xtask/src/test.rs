//! `cargo xtask test`: runs every check and every test, fast checks first.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::error::Error;
use crate::run;
use crate::suite::{self, Counts};

/// Steps to run, and their settings.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Run only the tests whose name contains this, and no checks
    filter: Option<String>,
    /// Running on CI.
    #[arg(skip)]
    ci: bool,
}

impl Options {
    /// All steps, with the settings for CI.
    pub(crate) fn ci() -> Self {
        Self {
            filter: None,
            ci: true,
        }
    }
}

/// Workspaces to format. The Worker's is a workspace of its own, compiled for its own target by the bundler.
const WORKSPACES: [&str; 3] = ["Cargo.toml", WORKER, "fuzz/Cargo.toml"];
const WORKER: &str = "host/worker/Cargo.toml";
/// Its target.
const WORKER_TARGET: &str = "wasm32-unknown-unknown";

/// A step of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Format,
    Tidy,
    Clippy,
    Docs,
    Build,
    Python,
    Contract,
    Tests,
}

impl Step {
    const ALL: [Self; 8] = [
        Self::Format,
        Self::Tidy,
        Self::Clippy,
        Self::Docs,
        Self::Build,
        Self::Python,
        Self::Contract,
        Self::Tests,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Tidy => "tidy",
            Self::Clippy => "clippy",
            Self::Docs => "docs",
            Self::Build => "build",
            Self::Python => "python",
            Self::Contract => "contract",
            Self::Tests => "tests",
        }
    }

    /// Returns `true` for a step that changes nothing. A run of some tests omits these.
    fn is_check(self) -> bool {
        !self.is_needed() && self != Self::Tests
    }

    /// Returns `true` if no later step can run after it fails.
    fn is_needed(self) -> bool {
        matches!(self, Self::Build | Self::Python)
    }

    fn run(self, root: &Path, options: &Options) -> Result<Counts, Error> {
        let cargo = |words: &str| options.cargo(root, words);
        match self {
            Self::Format => {
                let mut counts = Counts::default();
                for manifest in WORKSPACES {
                    let words = format!("fmt --all --check --manifest-path {manifest}");
                    counts += suite::single(cargo(&words))?;
                }
                Ok(counts)
            }
            Self::Tidy => crate::tidy(root).map(Counts::check),
            Self::Clippy => {
                let ours = cargo("clippy --workspace --all-targets -- -D warnings");
                let mut counts = suite::single(ours)?;
                if let Some(worker) = options.worker(root, "clippy", "-- -D warnings")? {
                    counts += suite::single(worker)?;
                }
                Ok(counts)
            }
            Self::Docs => {
                let mut docs = cargo("doc --workspace --no-deps");
                docs.env("RUSTDOCFLAGS", "-D warnings");
                let mut counts = suite::single(docs)?;
                let verb = "doc --no-deps --document-private-items";
                if let Some(mut worker) = options.worker(root, verb, "")? {
                    // All of it is private: nothing links to a Worker.
                    let flags = "-D warnings -A rustdoc::private-intra-doc-links";
                    worker.env("RUSTDOCFLAGS", flags);
                    counts += suite::single(worker)?;
                }
                Ok(counts)
            }
            Self::Build => suite::single(cargo("build --workspace")),
            Self::Python => crate::python().map(|()| Counts::check(true)),
            Self::Contract => crate::codegen(root, true, false).map(Counts::check),
            Self::Tests => {
                let mut tests = cargo("test --workspace --no-fail-fast");
                if let Some(filter) = &options.filter {
                    tests.arg("--").arg(filter);
                }
                suite::cargo_test(tests, &mut io::stdout())
            }
        }
    }
}

/// Runs the steps, also after a failure, and prints their times. Returns `false` if anything failed.
pub(crate) fn run(root: &Path, options: &Options) -> bool {
    let started = Instant::now();
    let mut total = Counts::default();
    let mut table = Vec::new();
    let wanted = |step: &Step| options.filter.is_none() || !step.is_check();
    for step in Step::ALL.into_iter().filter(wanted) {
        eprintln!("\n── {}", step.title());
        let started = Instant::now();
        let counts = step.run(root, options).unwrap_or_else(|error| {
            eprintln!("error: {error}");
            Counts::check(false)
        });
        let seconds = started.elapsed().as_secs_f64();
        let line = format!("{:<10} {seconds:>8.1} s   {}", step.title(), counts.total());
        eprintln!("── {line}");
        table.push(line);
        let failed = counts.total().failed > 0;
        total += counts;
        if step.is_needed() && failed {
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("\n{}\n{:<10} {seconds:>8.1} s", table.join("\n"), "all");
    // CI reads the last line.
    println!("{total}\n{}", total.total());
    total.total().failed == 0
}

impl Options {
    /// A cargo command in the Worker's workspace. `None`, with a note, if this toolchain lacks the target: the bundler then creates
    /// a toolchain that has it, but no clippy.
    fn worker(&self, root: &Path, verb: &str, rest: &str) -> Result<Option<Command>, Error> {
        let mut ask = Command::new("rustc");
        ask.args(["--print", "target-libdir", "--target", WORKER_TARGET]);
        if !Path::new(run::stdout(ask)?.trim()).is_dir() {
            eprintln!(
                "note: skipping `{WORKER}`: the target {WORKER_TARGET} is not installed\nhint: run `rustup target add {WORKER_TARGET}`"
            );
            return Ok(None);
        }
        let words =
            format!("{verb} --workspace --manifest-path {WORKER} --target {WORKER_TARGET} {rest}");
        let mut command = self.cargo(root, &words);
        command.env("CARGO_TARGET_DIR", root.join("target/worker"));
        Ok(Some(command))
    }

    /// A cargo command in the checkout, in the release profile: a debug engine is too slow for tests.
    fn cargo(&self, root: &Path, words: &str) -> Command {
        let mut words = words.split_whitespace();
        let verb = words.next().unwrap_or_default();
        let mut command = run::cargo();
        command.current_dir(root).arg(verb);
        if verb != "fmt" {
            command.arg("--release");
        }
        if self.ci {
            if verb != "fmt" {
                command.arg("--locked");
            }
            command
                .env("CARGO_TERM_PROGRESS_WHEN", "never")
                .env("CARGO_NET_RETRY", "10");
        }
        command.args(words);
        command
    }
}
