//! Error messages and exit codes.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;

/// A failure: the message on stderr, and the exit code.
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Creates a failure with exit code 1.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            code: 1,
        }
    }

    /// The message.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Creates a failure of wrong use, with exit code 2.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            code: 2,
        }
    }

    /// Creates a failure of a file operation.
    pub(crate) fn file(verb: &str, path: &Path, error: &std::io::Error) -> Self {
        Self {
            message: format!("could not {verb} `{}`: {error}", path.display()),
            code: 1,
        }
    }

    /// Prints the message to stderr. Returns the exit code.
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
            // Skips a cause that the message already contains.
            if !message.contains(&text) {
                message.push_str("\n  caused by: ");
                message.push_str(&text);
            }
            source = cause.source();
        }
        Self { message, code: 1 }
    }
}
