//! Commands that check or test, and counts of their results.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::ops::AddAssign;
use std::process::{Command, Stdio};
use std::{fmt, io};

use crate::error::Error;
use crate::run;

/// First parts of the names of matrix runs.
const ENGINES: [&str; 2] = ["wasmtime", "workerd"];

/// Parts of a name between the engine and the case.
const MODES: [&str; 3] = ["plan", "rewritten", "faults"];

/// Passes and failures of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    fn one(good: bool) -> Self {
        Self {
            passed: u64::from(good),
            failed: u64::from(!good),
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Results by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Commands that succeed or fail as a whole.
    checks: Tally,
    /// Tests that run once.
    tests: Tally,
    /// Runs of one case on one engine, in one of its modes.
    runs: Tally,
    /// The cases of these runs.
    cases: BTreeSet<String>,
}

impl Counts {
    /// The result of one check.
    pub(crate) fn check(good: bool) -> Self {
        Self {
            checks: Tally::one(good),
            ..Self::default()
        }
    }

    /// The sum of all kinds.
    pub(crate) fn total(&self) -> Tally {
        let mut total = self.checks;
        total += self.tests;
        total += self.runs;
        total
    }

    /// Counts one test by its name: `ENGINE/…/CASE` is a run of a case.
    fn test(&mut self, name: &str, good: bool) {
        let is_engine = |part: &str| ENGINES.iter().any(|engine| part.starts_with(engine));
        let is_mode = |part: &&str| MODES.contains(part);
        match name.split('/').collect::<Vec<_>>().as_slice() {
            [engine, rest @ ..] if !rest.is_empty() && is_engine(engine) => {
                let case: Vec<&str> = rest.iter().copied().skip_while(is_mode).collect();
                self.cases.insert(case.join("/"));
                self.runs += Tally::one(good);
            }
            _ => self.tests += Tally::one(good),
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.checks += other.checks;
        self.tests += other.tests;
        self.runs += other.runs;
        self.cases.extend(other.cases);
    }
}

/// One line for each kind.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "checks       {}", self.checks)?;
        writeln!(f, "tests        {}", self.tests)?;
        let cases = self.cases.len();
        write!(f, "matrix runs  {}, of {cases} cases", self.runs)
    }
}

/// Runs the command and counts it as one check.
pub(crate) fn single(mut command: Command) -> Result<Counts, Error> {
    let line = run::show(&command);
    let status = command.status().map_err(|source| Error::Start {
        command: line,
        source,
    })?;
    Ok(Counts::check(status.success()))
}

/// Runs `cargo test`, copies its output to `out`, and counts the tests of all its programs.
pub(crate) fn cargo_test(mut command: Command, out: &mut impl Write) -> Result<Counts, Error> {
    let line = run::show(&command);
    let broken = |source: io::Error| Error::Start {
        command: line.clone(),
        source,
    };
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(broken)?;
    let mut counts = Counts::default();
    let mut stated = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for text in BufReader::new(stdout).split(b'\n') {
            let text = text.map_err(broken)?;
            let line = String::from_utf8_lossy(&text);
            stated += summary(&line).unwrap_or_default();
            if let Some((name, good)) = outcome(&line) {
                counts.test(name, good);
            }
            // A closed stdout must not stop the tests.
            let _ = out.write_all(&text).and_then(|()| out.write_all(b"\n"));
        }
    }
    let status = child.wait().map_err(broken)?;
    // Output of a test may hide its line; the summary of its program still counts it.
    let counted = counts.total();
    counts.tests += Tally {
        passed: stated.passed.saturating_sub(counted.passed),
        failed: stated.failed.saturating_sub(counted.failed),
    };
    // A program that did not compile, or that died before it could count.
    if !status.success() && counts.total().failed == 0 {
        counts.tests.failed = 1;
    }
    Ok(counts)
}

/// Parses the line of one test: `test NAME ... ok`.
fn outcome(line: &str) -> Option<(&str, bool)> {
    let (name, end) = line.strip_prefix("test ")?.split_once(" ... ")?;
    match end.trim() {
        "ok" => Some((name.trim_end(), true)),
        "FAILED" => Some((name.trim_end(), false)),
        _ => None,
    }
}

/// Parses a test program's last line: `test result: ok. 3 passed; 0 failed; …`.
fn summary(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |what: &str| {
        counts
            .split("; ")
            .find_map(|part| part.strip_suffix(what)?.trim().parse().ok())
    };
    Some(Tally {
        passed: count("passed")?,
        failed: count("failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_counted() {
        let ok = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s";
        assert_eq!(
            summary(ok),
            Some(Tally {
                passed: 3,
                failed: 0
            })
        );
        let bad = "test result: FAILED. 12 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s";
        assert_eq!(
            summary(bad),
            Some(Tally {
                passed: 12,
                failed: 4
            })
        );
        assert_eq!(summary("test a::b ... ok"), None);
        assert_eq!(summary("running 3 tests"), None);
    }

    #[test]
    fn checks_tests_and_runs_of_cases_are_counted_apart() {
        let lines = "\
test cache::tests::one ... ok
test loader/dylink/src/lib.rs - (line 3) ... ok
test wasmtime-plan/weak           ... ok
test workerd/plan/rewritten/faults/weak ... FAILED
test wasmtime/plain/exit-code ... ok
test hidden ... some output
test result: FAILED. 5 passed; 1 failed; 0 ignored
";
        let mut echo = Command::new("printf");
        echo.args(["%s", lines]);
        let mut counts = cargo_test(echo, &mut io::sink()).expect("printf is there");
        counts += Counts::check(true);
        assert_eq!(
            counts.to_string(),
            "checks       1 passed, 0 failed\ntests        3 passed, 0 failed\nmatrix runs  2 passed, 1 failed, of 2 cases"
        );
        assert_eq!(counts.total().to_string(), "6 passed, 1 failed");
    }

    #[test]
    fn a_command_that_fails_without_counting_is_a_failure() {
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'; exit 101",
        ]);
        let counts = cargo_test(shell, &mut io::sink()).expect("sh is there");
        assert_eq!(
            counts.total(),
            Tally {
                passed: 2,
                failed: 1
            }
        );
    }
}
