//! A command that runs tests, and how many of them passed.

use std::io::{BufRead, BufReader, Write};
use std::ops::AddAssign;
use std::process::{Command, Stdio};
use std::{fmt, io};

use crate::error::Error;
use crate::run;

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// A check that is one test.
    pub(crate) fn one(good: bool) -> Self {
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

/// Runs the command as it is and counts it as one test.
pub(crate) fn single(mut command: Command) -> Result<Tally, Error> {
    let line = run::show(&command);
    let status = command.status().map_err(|source| Error::Start {
        command: line,
        source,
    })?;
    Ok(Tally::one(status.success()))
}

/// Runs `cargo test`, passes its output on to `out` and adds up the results of all its test programs.
pub(crate) fn cargo_test(mut command: Command, out: &mut impl Write) -> Result<Tally, Error> {
    let line = run::show(&command);
    let broken = |source: io::Error| Error::Start {
        command: line.clone(),
        source,
    };
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(broken)?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for text in BufReader::new(stdout).split(b'\n') {
            let text = text.map_err(broken)?;
            tally += result(&String::from_utf8_lossy(&text)).unwrap_or_default();
            // Whoever closed our stdout does not want to see it; the tests go on.
            let _ = out.write_all(&text).and_then(|()| out.write_all(b"\n"));
        }
    }
    let status = child.wait().map_err(broken)?;
    // A program that did not compile, or that died before it could count.
    if !status.success() && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(tally)
}

/// What a test program's closing line says: `test result: ok. 3 passed; 0 failed; …`.
fn result(line: &str) -> Option<Tally> {
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
    fn closing_lines_are_counted() {
        let ok = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s";
        assert_eq!(
            result(ok),
            Some(Tally {
                passed: 3,
                failed: 0
            })
        );
        let bad = "test result: FAILED. 12 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s";
        assert_eq!(
            result(bad),
            Some(Tally {
                passed: 12,
                failed: 4
            })
        );
        assert_eq!(result("test a::b ... ok"), None);
        assert_eq!(result("running 3 tests"), None);
    }

    #[test]
    fn a_command_that_fails_without_counting_is_a_failure() {
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'; exit 101",
        ]);
        assert_eq!(
            cargo_test(shell, &mut io::sink()).expect("sh is there"),
            Tally {
                passed: 2,
                failed: 1
            }
        );
    }
}
