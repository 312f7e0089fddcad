//! A failed call of the driver, noted for whoever started the build: build systems bury a compiler's words in their own.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use crate::step::command_line;

/// The environment variable that names a file: the last call that failed is noted there.
pub const FAILURE: &str = "PYMODE_CC_FAILURE";

/// The most of a call's words that are noted, in bytes.
const MOST: usize = 64 << 10;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedCall {
    /// Its command line, from `cc` or `c++` on.
    pub command: String,
    /// What compiler or linker said.
    pub stderr: String,
}

impl FailedCall {
    /// Reads a note: the command on the first line, then what was said.
    pub fn parse(text: &str) -> Option<Self> {
        let (command, stderr) = text.split_once('\n')?;
        Some(Self {
            command: command.to_owned(),
            stderr: stderr.to_owned(),
        })
    }
}

/// Where failures are to be noted, and for which call.
pub(super) struct Notes {
    file: PathBuf,
    command: String,
}

impl Notes {
    /// Of a call with these words, if anybody asked for notes.
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

    /// Runs a command; its stderr goes on to ours, and into the note if it fails.
    pub(super) fn run(&self, command: &mut Command) -> io::Result<ExitStatus> {
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let mut said = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            let mut reader = BufReader::new(stderr);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line)? > 0 {
                io::stderr().write_all(&line)?;
                if said.len() < MOST {
                    said.extend_from_slice(&line);
                }
                line.clear();
            }
        }
        let status = child.wait()?;
        if !status.success() {
            let said = String::from_utf8_lossy(&said);
            // A note that cannot be written must not hide the failure itself.
            let _ = fs::write(&self.file, format!("{}\n{said}", self.command));
        }
        Ok(status)
    }
}
