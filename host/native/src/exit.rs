//! How a program ended.

use std::cell::LazyCell;
use std::fmt;

use pymode_dylink_wasmtime::Linkage;
use wasmtime::{FrameInfo, Module, ThrownException, Trap, WasmBacktrace};

use crate::guest::Guest;
use crate::program::Program;

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// By itself, with this code; returning from `main` is 0.
    Code(u32),
    /// By a fault in it. Nothing of it runs any more; this process is as before.
    Fault(Fault),
}

impl Exit {
    /// The code for this process to end with. A fault is 134, which is what a shell shows for a program that aborted.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            // As the kernel does it: the low 8 bits.
            Exit::Code(code) => *code as u8,
            Exit::Fault(_) => 134,
        }
    }
}

/// What a program died of: the message that belongs on standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What happened.
    pub reason: String,
    /// The functions that were running, innermost first, as `module!function+offset`.
    pub frames: Vec<String>,
    /// What to do about it, if there is something.
    pub hint: Option<&'static str>,
}

/// How many functions a message shows; a runaway recursion has thousands.
const SHOWN: usize = 12;

impl fmt::Display for Fault {
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

impl Fault {
    /// What an error of the engine says about the guest.
    pub(crate) fn new(
        error: &wasmtime::Error,
        program: &Program,
        linkage: &Linkage<Guest>,
        memory_limit: Option<usize>,
    ) -> Fault {
        let frames = error
            .downcast_ref::<wasmtime::WasmBacktrace>()
            .map_or(Vec::new(), |trace| frames(trace, program, linkage));
        let (reason, hint) = match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => (
                "its calls went too deep (call stack exhausted)".to_owned(),
                Some("is there a recursion without end?"),
            ),
            Some(Trap::UnreachableCodeReached) => (
                "it aborted, or reached what it takes for unreachable".to_owned(),
                None,
            ),
            Some(trap) => (trap.to_string(), None),
            None if error.is::<ThrownException>() => {
                ("it threw an exception that nobody caught".to_owned(), None)
            }
            None => (error.root_cause().to_string(), None),
        };
        // Code that cannot go on without memory aborts in its own way.
        let hint = hint.or(memory_limit.map(|_| "its memory is limited: did it use it all up?"));
        Fault {
            reason,
            frames,
            hint,
        }
    }
}

fn frames(trace: &WasmBacktrace, program: &Program, linkage: &Linkage<Guest>) -> Vec<String> {
    let names = LazyCell::new(|| program.names());
    let frame = |frame: &FrameInfo| {
        if !Module::same(frame.module(), program.module()) {
            return linkage.frame(frame);
        }
        // Main may be stripped: its names lie beside it. It is called by its file, whatever it calls itself.
        let index = frame.func_index();
        let name = names.get(index).or(frame.func_name());
        let name = name.map_or_else(|| format!("function[{index}]"), str::to_owned);
        let offset = frame.func_offset().unwrap_or_default();
        format!("{}!{name}+{offset:#x}", program.name())
    };
    trace.frames().iter().map(frame).collect()
}
