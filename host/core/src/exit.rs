//! The exit status of a program, the same on every host.

use std::fmt;

/// The exit status of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// By itself, with this code; returning from `main` is 0.
    Code(u32),
    /// By a fault in it. Nothing of it runs any more; this process is as before.
    Failure(GuestFailure),
}

impl Exit {
    /// The code for this process to end with. A fault is 134, which is what a shell shows for a program that aborted.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            // As the kernel does it: the low 8 bits.
            Exit::Code(code) => *code as u8,
            Exit::Failure(_) => 134,
        }
    }
}

/// The failure of a program: the message for standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestFailure {
    /// Reason.
    pub reason: String,
    /// The functions that were running, innermost first, as `module!function+offset`.
    pub frames: Vec<String>,
    /// Hint, if there is one.
    pub hint: Option<&'static str>,
}

impl GuestFailure {
    /// Calls that went too deep.
    pub const TOO_DEEP: &str = "its calls went too deep (call stack exhausted)";
    /// A call whose types are not those of the function, as engines say it.
    pub const OTHER_TYPE: &str = "wasm trap: indirect call type mismatch";
    /// It executed `unreachable`.
    pub const ABORTED: &str = "it aborted, or reached what it takes for unreachable";
    /// It threw, and nothing of it catches.
    pub const UNCAUGHT: &str = "it threw an exception that nobody caught";

    /// A hint for a failure whose reason needs one.
    #[must_use]
    pub fn hint_for(reason: &str) -> Option<&'static str> {
        match reason {
            Self::TOO_DEEP => Some("is there a recursion without end?"),
            Self::OTHER_TYPE => Some(
                "a function is called through a pointer that says other parameters or another result, which native machines let pass: look at what the innermost function calls",
            ),
            _ => None,
        }
    }
}

/// Maximum number of functions in a message; a runaway recursion has thousands.
const SHOWN: usize = 12;

impl fmt::Display for GuestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the program was stopped by a fault: {}", self.reason)?;
        for frame in self.frames.iter().take(SHOWN) {
            write!(f, "\n  in {frame}")?;
        }
        if let Some(more) = self
            .frames
            .len()
            .checked_sub(SHOWN)
            .filter(|more| *more > 0)
        {
            write!(f, "\n  and {more} more")?;
        }
        if let Some(hint) = self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}
