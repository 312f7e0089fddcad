//! The exit status of a program, the same on every host.

use std::fmt;

/// The exit status of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// The program ended by itself, with this code. A return from `main` is 0.
    Code(u32),
    /// A fault stopped the program. None of it runs any more, and this process is unchanged.
    Failure(GuestFailure),
}

impl Exit {
    /// The code for this process to end with. A fault is 134, which is what a shell shows for a program that aborted.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            // The low 8 bits, as in the kernel.
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
    /// A call with another type than the function, in the engine's words.
    pub const OTHER_TYPE: &str = "wasm trap: indirect call type mismatch";
    /// The program executed `unreachable`.
    pub const ABORTED: &str = "it aborted, or executed `unreachable`";
    /// No handler for an exception.
    pub const UNCAUGHT: &str = "uncaught exception";

    /// A hint for a failure whose reason needs one.
    #[must_use]
    pub fn hint_for(reason: &str) -> Option<&'static str> {
        match reason {
            Self::TOO_DEEP => Some("look for a recursion without end"),
            Self::OTHER_TYPE => Some(
                "look at the call in the innermost function: its pointer has other parameters or another result than the function, which native machines permit",
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
