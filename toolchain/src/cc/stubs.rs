//! Placeholders in a program for functions and data of linked libraries.
//!
//! A program is not position independent: its addresses are numbers before any library has one. ELF has two means for
//! that, and so has this. A function is a *stub* that jumps through a slot of the table, which the loader fills with the
//! library's function: so the slot's number is the address of that function, for the program and for all libraries. A datum
//! is a *copy* in the program's own memory, to which the loader copies the library's initial bytes; the libraries find it
//! there, because the program comes first in every scope.
//!
//! Both are weak definitions: an object that defines the symbol has it for itself.

use std::collections::BTreeMap;
use std::fmt::Write;

use wasm_encoder::Encode;
use wasmparser::{FuncType, ValType};

use crate::sections;

/// The custom section by which a program says what it was linked with. It is built as `dylink.0` is, and its first two
/// subsections are those of `dylink.0`.
const SECTION: &str = "pymode.link";
const NEEDED: u8 = 2;
const RUNTIME_PATH: u8 = 5;
/// Names of functions that have a stub, which is exported as [`stub_name`].
const STUBS: u8 = 64;
/// Names of data that have a copy, which is exported by the same name, with their sizes.
const COPIES: u8 = 65;

/// By what name the stub of a function is exported.
pub(super) fn stub_name(function: &str) -> String {
    format!("plt.{function}")
}

/// A datum that a program has a copy of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CopiedDatum {
    pub(super) size: u32,
    pub(super) align: u32,
}

/// The placeholders of a library's symbols.
#[derive(Debug, Default)]
pub(super) struct Stubs {
    pub(super) functions: BTreeMap<String, FuncType>,
    pub(super) copies: BTreeMap<String, CopiedDatum>,
}

impl Stubs {
    pub(super) fn is_empty(&self) -> bool {
        self.functions.is_empty() && self.copies.is_empty()
    }

    /// The assembly of an object that defines all of it; or the first name that no assembly can hold, or the first function
    /// whose type C does not have.
    pub(super) fn assembly(&self) -> Result<String, String> {
        let mut text = String::from("\t.tabletype __indirect_function_table, funcref\n");
        for (name, ty) in &self.functions {
            let signature = signature(ty).ok_or_else(|| name.clone())?;
            check_name(name)?;
            let stub = stub_name(name);
            let parameters: String = (0..ty.params().len())
                .map(|at| format!("\tlocal.get {at}\n"))
                .collect();
            let _ = write!(
                text,
                "\t.section .text.{name},\"\",@
\t.weak {name}
\t.export_name {name}, {stub}
\t.type {name},@function
{name}:
\t.functype {name} {signature}
{parameters}\ti32.const {name}
\tcall_indirect __indirect_function_table, {signature}
\tend_function
"
            );
        }
        for (name, CopiedDatum { size, align }) in &self.copies {
            check_name(name)?;
            let power = align.trailing_zeros();
            let _ = write!(
                text,
                "\t.section .bss.{name},\"\",@
\t.weak {name}
\t.type {name},@object
\t.p2align {power}
{name}:
\t.zero {size}
\t.size {name}, {size}
"
            );
        }
        Ok(text)
    }

    /// The section for a program that needs these libraries, and that exports these names: a symbol that an object of its own
    /// defines has neither stub nor copy.
    pub(super) fn section(
        &self,
        needed: &[String],
        runtime_path: &[String],
        has_stub: impl Fn(&str) -> bool,
    ) -> Vec<u8> {
        let stubs: Vec<&String> = self
            .functions
            .keys()
            .filter(|name| has_stub(name))
            .collect();
        let mut copies = Vec::new();
        for (name, copy) in &self.copies {
            name.encode(&mut copies);
            copy.size.encode(&mut copies);
        }
        let mut data = Vec::new();
        list(&mut data, NEEDED, needed.len(), &encoded(needed));
        list(
            &mut data,
            RUNTIME_PATH,
            runtime_path.len(),
            &encoded(runtime_path),
        );
        list(&mut data, STUBS, stubs.len(), &encoded(&stubs));
        list(&mut data, COPIES, self.copies.len(), &copies);
        let mut section = Vec::new();
        sections::append_custom(&mut section, SECTION, &data);
        section
    }
}

/// Writes a subsection that holds a list, unless the list is empty.
fn list(out: &mut Vec<u8>, id: u8, count: usize, entries: &[u8]) {
    if count > 0 {
        let mut content = Vec::new();
        count.encode(&mut content);
        content.extend_from_slice(entries);
        out.push(id);
        content.encode(out);
    }
}

fn encoded(names: &[impl AsRef<str>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in names {
        name.as_ref().encode(&mut bytes);
    }
    bytes
}

/// A type as the assembler reads it.
fn signature(ty: &FuncType) -> Option<String> {
    let list = |types: &[ValType]| -> Option<String> {
        let names: Option<Vec<_>> = types
            .iter()
            .map(|ty| match ty {
                ValType::I32 => Some("i32"),
                ValType::I64 => Some("i64"),
                ValType::F32 => Some("f32"),
                ValType::F64 => Some("f64"),
                ValType::V128 => Some("v128"),
                ValType::Ref(_) => None,
            })
            .collect();
        Some(names?.join(", "))
    };
    Some(format!(
        "({}) -> ({})",
        list(ty.params())?,
        list(ty.results())?
    ))
}

/// An identifier of the assembler; a name comes from a file, and may be anything.
fn check_name(name: &str) -> Result<(), String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
    let is_well = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(is_part);
    is_well.then_some(()).ok_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stub_jumps_through_its_own_slot() {
        let mut stubs = Stubs::default();
        let ty = FuncType::new([ValType::I32, ValType::F64], [ValType::I64]);
        stubs.functions.insert("f".to_owned(), ty);
        let text = stubs.assembly().expect("it is a function of C");
        assert!(
            text.contains("\tlocal.get 0\n\tlocal.get 1\n\ti32.const f\n"),
            "{text}"
        );
        assert!(text.contains("call_indirect __indirect_function_table, (i32, f64) -> (i64)"));
        assert!(text.contains(".export_name f, plt.f\n"));
    }

    #[test]
    fn a_name_is_text_of_somebody_else() {
        for name in ["", "1", "a b", "a\n.globl b", "a,b", "\"", "ä"] {
            assert_eq!(check_name(name), Err(name.to_owned()));
        }
        for name in ["a", "_ZN1a1bEv", "a.llvm.12", "a$b"] {
            assert_eq!(check_name(name), Ok(()));
        }
    }

    #[test]
    fn the_section_says_what_is_there() {
        let mut stubs = Stubs::default();
        let ty = || FuncType::new([], []);
        stubs.functions.insert("f".to_owned(), ty());
        stubs.functions.insert("own".to_owned(), ty());
        let copy = CopiedDatum {
            size: 300,
            align: 4,
        };
        stubs.copies.insert("d".to_owned(), copy);
        let section = stubs.section(&["libx.so".to_owned()], &[], |name| name == "f");
        let expected = b"\0\x23\x0bpymode.link\x02\x09\x01\x07libx.so\x40\x03\x01\x01f\x41\x05\x01\x01d\xac\x02";
        assert_eq!(section, expected);
    }
}
