//! Everything that can go wrong while a plan is carried out.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use crate::act::engine::EngineError;
use crate::program::ids::Address;

/// The reason why a plan could not be carried out. `E` is the engine's own error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActError<E> {
    /// No memory for the module's data: main's allocator returned null.
    #[error("cannot load `{path}`: no memory for its {size} bytes of data")]
    OutOfMemory {
        /// The file.
        path: Arc<str>,
        /// The size of its data.
        size: u32,
    },
    /// The table could not grow.
    #[error(
        "cannot load `{path}`: no room in the function table for {slots} more\n  hint: link the main module with `--growable-table`\n  growing it failed: {reason}"
    )]
    TableFull {
        /// The file that was asked for.
        path: Arc<str>,
        /// The number of slots that its load group needs.
        slots: u32,
        /// The reason.
        reason: Cause<E>,
    },
    /// The engine refused the code, or its imports, or the module's segments or start function trapped.
    #[error("cannot load `{path}`: {step} failed: {reason}")]
    Step {
        /// The file.
        path: Arc<str>,
        /// The step that failed.
        step: Step,
        /// The reason.
        reason: Cause<E>,
    },
    /// Guest code of the module did not return.
    #[error("cannot load `{path}`: its `{function}` failed: {reason}")]
    Guest {
        /// The file.
        path: Arc<str>,
        /// The exported function that was called.
        function: &'static str,
        /// The reason.
        reason: Cause<E>,
    },
}

impl<E> ActError<E> {
    pub(crate) fn step(path: &Arc<str>, step: Step, reason: impl Into<Cause<E>>) -> Self {
        Self::Step {
            path: Arc::clone(path),
            step,
            reason: reason.into(),
        }
    }
}

impl<E: EngineError> ActError<E> {
    /// Returns the engine's error if the guest has ended its program, else the error as it was.
    pub(crate) fn into_exit(self) -> Result<E, Self> {
        match self {
            Self::Step {
                reason: Cause::Engine(error),
                ..
            }
            | Self::Guest {
                reason: Cause::Engine(error),
                ..
            } if error.is_exit() => Ok(error),
            other => Err(other),
        }
    }
}

/// A step of [`open`](crate::open) that the engine carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The module is compiled.
    Compile,
    /// The functions that stand in for others are made.
    MakeThunks,
    /// Main's allocator is called for its data.
    Allocate,
    /// Its data is cleared.
    Clear,
    /// Its imports are bound.
    Bind,
    /// It is instantiated; its start function runs.
    Instantiate,
    /// A function gets its slot.
    FillTable,
    /// An export is looked up.
    FindExport,
    /// The address of an export is read.
    ReadAddress,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compile => "compilation",
            Self::MakeThunks => "making its thunks",
            Self::Allocate => "allocating its data",
            Self::Clear => "clearing its data",
            Self::Bind => "binding its imports",
            Self::Instantiate => "instantiation",
            Self::FillTable => "filling the function table",
            Self::FindExport => "finding an export",
            Self::ReadAddress => "reading the address of an export",
        })
    }
}

/// The reason why a step failed: the engine's error, or something that the engine did not deliver as it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause<E> {
    /// The engine's own error.
    #[error(transparent)]
    Engine(#[from] E),
    /// An instance lacks an export that its module has.
    #[error("the instance does not export `{name}`")]
    NotExported {
        /// The export.
        name: Box<str>,
    },
    /// A definition is asked for whose module has no instance yet.
    #[error("its module is not instantiated yet")]
    NotInstantiated,
    /// The host lacks a function that it had before.
    #[error("the host has no `{name}`")]
    NoHostFunction {
        /// The function.
        name: Box<str>,
    },
    /// An address is asked for that is not one of data.
    #[error("`{name}` is not data")]
    NotData {
        /// The export.
        name: Box<str>,
    },
    /// A function that needs a slot was given none.
    #[error("a function has no slot")]
    NoSlot,
    /// The process has to make a tag, and its type is not known.
    #[error("no module defines the tag `{name}`, and its type is not known")]
    UnknownTag {
        /// The tag.
        name: Box<str>,
    },
    /// Main's allocator has another type than C's.
    #[error("main's allocator returns nothing")]
    NoPointer,
    /// Main's allocator breaks its promise.
    #[error("main's allocator returned {address}, which is not aligned to {align}")]
    Misaligned {
        /// The address that it returned.
        address: Address,
        /// The alignment that was asked for.
        align: u32,
    },
    /// More slots than 32 bits can count.
    #[error("it cannot hold so many")]
    TableLimit,
}
