//! Types, from how a module writes them.

use alloc::boxed::Box;

use super::{Signature, ValType};

impl ValType {
    /// The type, unless it names a type of its module: such a type means nothing in another module.
    pub(super) fn from_wasm(ty: wasmparser::ValType) -> Option<Self> {
        use wasmparser::{RefType, ValType as Wasm};
        Some(match ty {
            Wasm::I32 => Self::I32,
            Wasm::I64 => Self::I64,
            Wasm::F32 => Self::F32,
            Wasm::F64 => Self::F64,
            Wasm::V128 => Self::V128,
            Wasm::Ref(RefType::FUNCREF) => Self::FuncRef,
            Wasm::Ref(RefType::EXTERNREF) => Self::ExternRef,
            Wasm::Ref(RefType::EXNREF) => Self::ExnRef,
            Wasm::Ref(_) => return None,
        })
    }
}

impl Signature {
    pub(super) fn from_wasm(ty: &wasmparser::FuncType) -> Option<Self> {
        let list = |types: &[wasmparser::ValType]| -> Option<Box<[ValType]>> {
            types.iter().map(|ty| ValType::from_wasm(*ty)).collect()
        };
        Some(Self {
            params: list(ty.params())?,
            results: list(ty.results())?,
        })
    }
}
