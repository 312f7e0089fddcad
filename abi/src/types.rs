//! Types of exports. Lists are slices in the statics, and vectors where a table is read or written.

use core::fmt;

/// A type of a value that crosses the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValType {
    /// 32-bit integer, also every pointer, `size_t` and `long`.
    I32,
    /// 64-bit integer.
    I64,
    /// `float`.
    F32,
    /// `double`.
    F64,
}

/// The type of a function or of a tag, written `(i32 i64) -> i32`, or `(i32)` without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Signature<L = &'static [ValType]> {
    /// Parameters.
    pub params: L,
    /// Results.
    pub results: L,
}

/// The type of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExportKind<L = &'static [ValType]> {
    /// A function, written as its signature.
    Function(Signature<L>),
    /// `data`: a C object, an immutable `i32` global with its absolute address.
    Data,
    /// `global mut i32`: a mutable global.
    Global(ValType),
    /// `table`: the function table; it must be growable.
    Table,
    /// `memory`: the linear memory; it must be growable.
    Memory,
    /// `tag (i32)`: an exception tag.
    Tag(Signature<L>),
}

/// The reason why python.wasm exports a symbol: the headings of `exports.toml`, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Parts of python.wasm besides Python and libc: memory, stack, table, and its own functions.
    Runtime,
    /// The C API.
    Python,
    /// C11, mathematics, and the POSIX functions of WASI.
    Libc,
    /// Functions that the compiler calls implicitly.
    CompilerRt,
}

impl Why {
    /// All reasons, in order.
    pub const ALL: [Self; 4] = [Self::Runtime, Self::Python, Self::Libc, Self::CompilerRt];

    /// The heading in `exports.toml`.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Python => "python",
            Self::Libc => "libc",
            Self::CompilerRt => "compiler-rt",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.heading())
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

impl<L: AsRef<[ValType]>> fmt::Display for Signature<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, types: &[ValType]| {
            types
                .iter()
                .enumerate()
                .try_for_each(|(at, ty)| write!(f, "{}{ty}", if at == 0 { "" } else { " " }))
        };
        f.write_str("(")?;
        list(f, self.params.as_ref())?;
        f.write_str(")")?;
        match self.results.as_ref() {
            [] => Ok(()),
            results => {
                f.write_str(" -> ")?;
                list(f, results)
            }
        }
    }
}

impl<L: AsRef<[ValType]>> fmt::Display for ExportKind<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(signature) => signature.fmt(f),
            Self::Data => f.write_str("data"),
            Self::Global(ty) => write!(f, "global mut {ty}"),
            Self::Table => f.write_str("table"),
            Self::Memory => f.write_str("memory"),
            Self::Tag(signature) => write!(f, "tag {signature}"),
        }
    }
}
