//! A record of a failed call of the driver, for the command that started the build: build systems hide a compiler's messages
//! among their own.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use crate::step::command_line;

/// The environment variable that names a file for the record of the last failed call.
pub const FAILURE: &str = "PYMODE_CC_FAILURE";

/// The largest number of bytes of a call's output that is recorded.
const MOST: usize = 64 << 10;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedCall {
    /// Its command line, from `cc` or `c++` on.
    pub command: String,
    /// The output of compiler or linker.
    pub stderr: String,
}

impl FailedCall {
    /// Parses a record: the command on the first line, then the output.
    pub fn parse(text: &str) -> Option<Self> {
        let (command, stderr) = text.split_once('\n')?;
        Some(Self {
            command: command.to_owned(),
            stderr: stderr.to_owned(),
        })
    }
}

/// The file for the record, and the call that it is about.
pub(super) struct Notes {
    file: PathBuf,
    command: String,
}

impl Notes {
    /// Returns the record for a call with these words, if [`FAILURE`] is set.
    pub(super) fn of(tool: &str, args: &[String]) -> Option<Self> {
        let file = std::env::var_os(FAILURE)
            .filter(|file| !file.is_empty())?
            .into();
        let mut words = Command::new(tool);
        words.args(args);
        Some(Self {
            file,
            command: command_line(&words).replace('\n', " "),
        })
    }

    /// Runs a command. Copies its stderr to ours, and into the record if it fails.
    pub(super) fn run(&self, command: &mut Command) -> io::Result<ExitStatus> {
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let mut stderr_copy = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            let mut reader = BufReader::new(stderr);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line)? > 0 {
                io::stderr().write_all(&line)?;
                if stderr_copy.len() < MOST {
                    stderr_copy.extend_from_slice(&line);
                }
                line.clear();
            }
        }
        let status = child.wait()?;
        if !status.success() {
            let output = String::from_utf8_lossy(&stderr_copy);
            // A record that cannot be written must not hide the failure itself.
            let _ = fs::write(&self.file, format!("{}\n{output}", self.command));
        }
        Ok(status)
    }
}
