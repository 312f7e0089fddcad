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

/// What runs inside a Worker is a workspace of its own; it is compiled, for its own target, by who bundles it.
const WORKSPACES: [&str; 3] = ["Cargo.toml", WORKER, "fuzz/Cargo.toml"];
const WORKER: &str = "host/worker/Cargo.toml";
/// Its target.
const WORKER_TARGET: &str = "wasm32-unknown-unknown";

/// Part of the whole. The tests count their own, everything else counts what it runs.
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

    /// Whether it only looks, so that a run of some tests goes without it.
    fn is_check(self) -> bool {
        !self.is_needed() && self != Self::Tests
    }

    /// Whether nothing after it can be done when it fails.
    fn is_needed(self) -> bool {
        matches!(self, Self::Build | Self::Python)
    }

    fn run(self, root: &Path, options: &Options) -> Result<Tally, Error> {
        let cargo = |words: &str| options.cargo(root, words);
        match self {
            Self::Format => {
                let mut tally = Tally::default();
                for manifest in WORKSPACES {
                    let words = format!("fmt --all --check --manifest-path {manifest}");
                    tally += suite::single(cargo(&words))?;
                }
                Ok(tally)
            }
            Self::Tidy => crate::tidy(root).map(Tally::one),
            Self::Clippy => {
                let ours = cargo("clippy --workspace --all-targets -- -D warnings");
                let mut tally = suite::single(ours)?;
                if let Some(worker) = options.worker(root, "clippy", "-- -D warnings")? {
                    tally += suite::single(worker)?;
                }
                Ok(tally)
            }
            Self::Docs => {
                let mut docs = cargo("doc --workspace --no-deps");
                docs.env("RUSTDOCFLAGS", "-D warnings");
                let mut tally = suite::single(docs)?;
                let verb = "doc --no-deps --document-private-items";
                if let Some(mut worker) = options.worker(root, verb, "")? {
                    // All of it is private: nobody links to a Worker.
                    let flags = "-D warnings -A rustdoc::private-intra-doc-links";
                    worker.env("RUSTDOCFLAGS", flags);
                    tally += suite::single(worker)?;
                }
                Ok(tally)
            }
            Self::Build => suite::single(cargo("build --workspace")),
            Self::Python => crate::python().map(|()| Tally::one(true)),
            Self::Contract => crate::codegen(root, true, false).map(Tally::one),
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

/// Runs the steps, also after one failed, and says how long each took. `false` when anything failed.
pub(crate) fn run(root: &Path, options: &Options) -> bool {
    let started = Instant::now();
    let mut total = Tally::default();
    let mut table = Vec::new();
    let wanted = |step: &Step| options.filter.is_none() || !step.is_check();
    for step in Step::ALL.into_iter().filter(wanted) {
        eprintln!("\n── {}", step.title());
        let started = Instant::now();
        let tally = step.run(root, options).unwrap_or_else(|error| {
            eprintln!("error: {error}");
            Tally::one(false)
        });
        let seconds = started.elapsed().as_secs_f64();
        let line = format!("{:<10} {seconds:>8.1} s   {tally}", step.title());
        eprintln!("── {line}");
        table.push(line);
        total += tally;
        if step.is_needed() && tally.failed > 0 {
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("\n{}\n{:<10} {seconds:>8.1} s", table.join("\n"), "all");
    println!("{total}");
    total.failed == 0
}

impl Options {
    /// A cargo command in the Worker's workspace. `None`, and why, where this toolchain cannot compile it: who bundles it then
    /// makes a toolchain that can, but that one has no clippy.
    fn worker(&self, root: &Path, verb: &str, rest: &str) -> Result<Option<Command>, Error> {
        let mut ask = Command::new("rustc");
        ask.args(["--print", "target-libdir", "--target", WORKER_TARGET]);
        if !Path::new(run::stdout(ask)?.trim()).is_dir() {
            eprintln!(
                "note: `{WORKER}` is not looked at: no {WORKER_TARGET} here\nhint: `rustup target add {WORKER_TARGET}`"
            );
            return Ok(None);
        }
        let words =
            format!("{verb} --workspace --manifest-path {WORKER} --target {WORKER_TARGET} {rest}");
        let mut command = self.cargo(root, &words);
        command.env("CARGO_TARGET_DIR", root.join("target/worker"));
        Ok(Some(command))
    }

    /// A cargo command in the checkout, in the release profile: the engine is too slow for tests otherwise.
    fn cargo(&self, root: &Path, words: &str) -> Command {
        let mut words = words.split_whitespace();
        let verb = words.next().unwrap_or_default();
        let mut command = run::cargo();
        command.current_dir(root).arg(verb);
        if verb != "fmt" {
            command.arg("--release");
        }
        if self.unwatched {
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
