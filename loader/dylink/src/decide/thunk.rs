//! Thunks: functions of a small generated module that stand in for those that cannot be bound directly.
//!
//! WebAssembly wants every imported function to exist before the importer does. That fails in three cases: a weak
//! definition, which its own module imports and exports; two modules that import from each other; and a weak symbol that
//! no module defines. A closure of the host would do, but a host frame between two guest frames is slow and makes suspension
//! impossible. So these imports are bound to functions of a generated module: a *forward* jumps through a slot that is
//! filled by the time it is called, an *absent* function traps.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::module::{ImportKind, ModuleInfo, Signature, leb128};

/// A generated module of thunks. Its code depends on nothing else, so equal ones can share compiled code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThunkModule {
    /// The thunks, exported as `0`, `1`, ….
    pub functions: Vec<Thunk>,
}

/// A function that stands in for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thunk {
    /// The symbol that it stands in for.
    pub name: Box<str>,
    /// Its type.
    pub signature: Arc<Signature>,
    /// Its effect when it is called.
    pub action: ThunkAction,
}

/// The effect of a [`Thunk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThunkAction {
    /// Calls the slot that a GOT global holds. The globals are the module's imports after the table, in the order of the
    /// functions that forward.
    Forward,
    /// Traps: no module defines the symbol.
    Absent,
}

/// Maximum number of thunks of one type in [`ThunkModule::common`]: more need a second instance.
const COPIES: usize = 8;

impl ThunkModule {
    /// Returns a module whose instances can take the place of any other, for an engine that cannot compile when a library is
    /// opened: a forward, or some, for each type of a function that one of `sides` imports and `main` does not define. `None`: none can be needed.
    #[must_use]
    pub fn common<'a>(
        main: &ModuleInfo,
        sides: impl IntoIterator<Item = &'a ModuleInfo>,
    ) -> Option<Self> {
        let mut most: Vec<(Arc<Signature>, usize)> = Vec::new();
        for side in sides {
            let mut here: Vec<(Arc<Signature>, usize)> = Vec::new();
            for import in &side.imports {
                if let ImportKind::Function {
                    signature: Some(signature),
                    ..
                } = &import.kind
                    && main.exports.find(&import.name).is_none()
                {
                    count(&mut here, signature, 1, |old, new| old + new);
                }
            }
            for (signature, copies) in here {
                count(&mut most, &signature, copies.min(COPIES), usize::max);
            }
        }
        let all = most
            .into_iter()
            .flat_map(|(signature, copies)| core::iter::repeat_n(signature, copies));
        let thunks = Self::of_forwards(all);
        (!thunks.functions.is_empty()).then_some(thunks)
    }

    /// Returns a module that only forwards, by the types of its functions.
    pub(crate) fn of_forwards(signatures: impl Iterator<Item = Arc<Signature>>) -> Self {
        let functions = signatures.map(|signature| Thunk {
            name: "".into(),
            signature,
            action: ThunkAction::Forward,
        });
        Self {
            functions: functions.collect(),
        }
    }

    /// Returns the thunks that forward: the module imports a global for each.
    pub fn forwards(&self) -> impl Iterator<Item = &Thunk> {
        self.functions
            .iter()
            .filter(|function| function.action == ThunkAction::Forward)
    }

    /// Returns the module as bytes. It imports the table as its first import, then one mutable `i32` global for each forward.
    #[must_use]
    pub fn to_wasm(&self) -> Vec<u8> {
        let mut types: Vec<&Arc<Signature>> = Vec::new();
        let type_of: Vec<usize> = self
            .functions
            .iter()
            .map(|function| {
                let known = types.iter().position(|ty| **ty == function.signature);
                known.unwrap_or_else(|| {
                    types.push(&function.signature);
                    types.len() - 1
                })
            })
            .collect();

        let mut wasm = b"\0asm\x01\0\0\0".to_vec();
        section(&mut wasm, 1, types.len(), |out| {
            for ty in &types {
                out.push(0x60);
                for list in [&ty.params, &ty.results] {
                    leb128::write(out, list.len());
                    out.extend(list.iter().map(|ty| ty.to_byte()));
                }
            }
        });
        section(&mut wasm, 2, 1 + self.forwards().count(), |out| {
            text(out, "env");
            text(out, "__indirect_function_table");
            out.extend([0x01, 0x70, 0x00, 0x00]); // table funcref, at least 0 slots
            for (at, _) in self.forwards().enumerate() {
                text(out, "GOT.func");
                text(out, &at.to_string());
                out.extend([0x03, 0x7f, 0x01]); // global (mut i32)
            }
        });
        section(&mut wasm, 3, self.functions.len(), |out| {
            for ty in &type_of {
                leb128::write(out, *ty);
            }
        });
        section(&mut wasm, 7, self.functions.len(), |out| {
            for at in 0..self.functions.len() {
                text(out, &at.to_string());
                out.push(0x00);
                leb128::write(out, at);
            }
        });
        section(&mut wasm, 10, self.functions.len(), |out| {
            let mut global = 0;
            for (function, ty) in self.functions.iter().zip(&type_of) {
                let mut body = Vec::from([0x00]); // no locals
                match function.action {
                    ThunkAction::Forward => {
                        for param in 0..function.signature.params.len() {
                            body.push(0x20); // local.get
                            leb128::write(&mut body, param);
                        }
                        body.push(0x23); // global.get
                        leb128::write(&mut body, global);
                        global += 1;
                        body.push(0x11); // call_indirect
                        leb128::write(&mut body, *ty);
                        body.push(0x00);
                    }
                    ThunkAction::Absent => body.push(0x00), // unreachable
                }
                body.push(0x0b); // end
                leb128::write(out, body.len());
                out.extend(body);
            }
        });
        self.names(&mut wasm);
        wasm
    }

    /// Writes the name section: a trap's backtrace then names the symbol that is absent.
    fn names(&self, wasm: &mut Vec<u8>) {
        let mut names = Vec::new();
        leb128::write(&mut names, self.functions.len());
        for (at, function) in self.functions.iter().enumerate() {
            leb128::write(&mut names, at);
            let what = match function.action {
                ThunkAction::Forward => "forward",
                ThunkAction::Absent => "undefined weak symbol",
            };
            text(&mut names, &alloc::format!("{what} {}", function.name));
        }
        let mut body = Vec::new();
        text(&mut body, "name");
        body.push(1); // function names
        leb128::write(&mut body, names.len());
        body.extend(names);
        wasm.push(0);
        leb128::write(wasm, body.len());
        wasm.extend(body);
    }
}

fn count(
    all: &mut Vec<(Arc<Signature>, usize)>,
    signature: &Arc<Signature>,
    number: usize,
    join: fn(usize, usize) -> usize,
) {
    match all.iter_mut().find(|(known, _)| known == signature) {
        Some((_, known)) => *known = join(*known, number),
        None => all.push((Arc::clone(signature), number)),
    }
}

fn section(wasm: &mut Vec<u8>, id: u8, count: usize, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    leb128::write(&mut body, count);
    fill(&mut body);
    wasm.push(id);
    leb128::write(wasm, body.len());
    wasm.extend(body);
}

fn text(out: &mut Vec<u8>, text: &str) {
    leb128::write(out, text.len());
    out.extend(text.as_bytes());
}

/// Returns the name of the export that is thunk `at`.
pub(crate) fn export_name(at: u32) -> String {
    at.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::ValType;

    #[test]
    fn a_thunk_module_is_valid_wasm() {
        let function = |name: &str, params: &[ValType], results: &[ValType], action| Thunk {
            name: name.into(),
            signature: Arc::new(Signature {
                params: params.into(),
                results: results.into(),
            }),
            action,
        };
        use ValType::*;
        let thunks = ThunkModule {
            functions: alloc::vec![
                function("a", &[I32, F64], &[I64], ThunkAction::Forward),
                function("b", &[], &[], ThunkAction::Absent),
                function("c", &[V128, FuncRef], &[ExternRef], ThunkAction::Absent),
                function("d", &[I32, F64], &[I64], ThunkAction::Forward),
            ],
        };
        let wasm = thunks.to_wasm();
        wasmparser::validate(&wasm).expect("the module validates");
        assert_eq!(ThunkModule::default().forwards().count(), 0);
        wasmparser::validate(&ThunkModule::default().to_wasm()).expect("also when empty");
    }
}
