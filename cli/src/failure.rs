//! How a failure is told.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;

/// Something failed: what the person at the terminal reads, and the exit code.
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Something failed, exit code 1.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            code: 1,
        }
    }

    /// What is told.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Wrong use, exit code 2.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            code: 2,
        }
    }

    /// The file system said no.
    pub(crate) fn file(verb: &str, path: &Path, error: &std::io::Error) -> Self {
        Self {
            message: format!("cannot {verb} `{}`: {error}", path.display()),
            code: 1,
        }
    }

    /// Says so on stderr and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        eprintln!("error: {}", self.message);
        ExitCode::from(self.code)
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // A transparent wrapper, or one that already tells its cause, is not told twice.
            if !message.contains(&text) {
                message.push_str("\n  because: ");
                message.push_str(&text);
            }
            source = cause.source();
        }
        Self { message, code: 1 }
    }
}
