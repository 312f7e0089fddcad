//! Everything that can be wrong with the bytes of a module.

use alloc::string::String;
#[cfg(feature = "parse")]
use alloc::string::ToString;

/// Why bytes are not a module that the linker can load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// The file does not begin as WebAssembly does.
    #[error("it is not WebAssembly: {reason}")]
    NotWasm {
        /// Reason.
        reason: String,
    },
    /// A component, not a core module.
    #[error(
        "it is a WebAssembly component, not a core module\n  hint: side modules are core modules, linked with `-shared`"
    )]
    Component,
    /// The file ends in the middle of a section.
    #[error(
        "it is cut short: it ends at byte {length}, in the middle of a section\n  hint: fetch or build it again"
    )]
    Truncated {
        /// Size of the file.
        length: u64,
    },
    /// The file is not well-formed.
    #[error("it is damaged at byte {at}: {reason}")]
    Corrupt {
        /// The byte.
        at: u64,
        /// Reason.
        reason: String,
    },
    /// There is no `dylink.0` section at the front.
    #[error(
        "it is not a side module: it does not begin with a `dylink.0` section\n  hint: link it with `-shared`"
    )]
    NotSide,
    /// The section of before 2022.
    #[error(
        "it was linked by a toolchain of before 2022: it has a `dylink` section, not `dylink.0`\n  hint: link it again"
    )]
    OldFormat,
    /// An alignment that 32 bits cannot hold.
    #[error("its `dylink.0` section asks for an alignment of 2 to the power {log2}")]
    Alignment {
        /// The logarithm that was found.
        log2: u32,
    },
    /// Two memory descriptions that differ.
    #[error("its `dylink.0` section says twice, and differently, how much memory it needs")]
    ConflictingMemInfo,
    /// A segment is placed at an absolute address.
    #[error(
        "it is not position independent: {what} segment {index} does not begin relative to the module's base\n  hint: compile it with `-fPIC` and link it with `-shared`"
    )]
    NotRelative {
        /// `data` or `element`.
        what: &'static str,
        /// Which one.
        index: u32,
    },
    /// A segment would write outside of what is reserved for the module.
    #[error("{what} segment {index} ends at {end}, but the module asks for only {size}")]
    SegmentOutside {
        /// `data` or `element`.
        what: &'static str,
        /// Which one.
        index: u32,
        /// End, relative to the module's base.
        end: u64,
        /// Requested size.
        size: u32,
    },
    /// The message of a parser that read the module elsewhere.
    #[error("{reason}")]
    Message {
        /// The display of another of these errors.
        reason: String,
    },
    /// An import that nothing can be bound to.
    #[error("it imports `{module}.{name}`, which is not a global")]
    ImportKind {
        /// `GOT.mem` or `GOT.func`.
        module: String,
        /// The symbol.
        name: String,
    },
}

#[cfg(feature = "parse")]
impl From<wasmparser::BinaryReaderError> for ModuleError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Corrupt {
            at: error.offset(),
            reason: error.message().to_string(),
        }
    }
}
