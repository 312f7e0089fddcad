//! Types of functions, as far as the linker compares and prints them.

use alloc::boxed::Box;
use core::fmt;

/// A type of a value that crosses a module boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValType {
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `v128`
    V128,
    /// `funcref`
    FuncRef,
    /// `externref`
    ExternRef,
    /// `exnref`
    ExnRef,
}

impl ValType {
    /// The byte that stands for the type in a WebAssembly binary.
    pub(crate) fn to_byte(self) -> u8 {
        match self {
            Self::I32 => 0x7f,
            Self::I64 => 0x7e,
            Self::F32 => 0x7d,
            Self::F64 => 0x7c,
            Self::V128 => 0x7b,
            Self::FuncRef => 0x70,
            Self::ExternRef => 0x6f,
            Self::ExnRef => 0x69,
        }
    }

    /// The type that a byte of a WebAssembly binary stands for.
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        let all = [
            Self::I32,
            Self::I64,
            Self::F32,
            Self::F64,
            Self::V128,
            Self::FuncRef,
            Self::ExternRef,
            Self::ExnRef,
        ];
        all.into_iter().find(|ty| ty.to_byte() == byte)
    }

    fn name(self) -> &'static str {
        match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::V128 => "v128",
            Self::FuncRef => "funcref",
            Self::ExternRef => "externref",
            Self::ExnRef => "exnref",
        }
    }
}

/// The type of a function or of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Signature {
    /// Parameters, in order.
    pub params: Box<[ValType]>,
    /// Results, in order; none for a tag.
    pub results: Box<[ValType]>,
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `(i32, f64) -> i32`
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, types: &[ValType]| {
            for (at, ty) in types.iter().enumerate() {
                let comma = if at == 0 { "" } else { ", " };
                write!(f, "{comma}{ty}")?;
            }
            Ok(())
        };
        f.write_str("(")?;
        list(f, &self.params)?;
        f.write_str(")")?;
        match &*self.results {
            [] => Ok(()),
            [one] => write!(f, " -> {one}"),
            many => {
                f.write_str(" -> (")?;
                list(f, many)?;
                f.write_str(")")
            }
        }
    }
}
