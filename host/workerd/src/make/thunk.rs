//! Import thunks: guests call the host through them, without a JavaScript frame.
//!
//! All guests of an isolate share one host instance, so each call must identify its guest. A JavaScript closure could add that,
//! but it is slow, and a guest cannot be suspended through it. So each guest gets an instance of a small WebAssembly module per
//! import module. Its functions have the signatures that guests import, and call the host's raw exports with the guest's number
//! as the first argument.
//!
//! The host's functions for guests are its exports named `module.function`, `waits!module.function` and `ends!module.function`:
//!
//! * A thunk of a function that *waits* repeats the call as long as `host.pending` returns 1, and suspends the guest by `js.suspend`
//!   in between. The host has returned by then: between the guest's entry and the suspension there are only WebAssembly frames.
//! * A thunk of a function that *ends* traps after the call, which no guest can catch.

use std::collections::BTreeMap;

use wasm_encoder::{
    BlockType, CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalType, ImportSection, Instruction, Module, TypeSection, ValType,
};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// Errors of making thunks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThunkError {
    /// It is not WebAssembly, or damaged.
    #[error("the Worker's own code cannot be read: {0}")]
    Unreadable(#[from] wasmparser::BinaryReaderError),
    /// An export has the name of a function for guests, and is not one.
    #[error("the Worker's export `{export}` cannot be offered to guests: {reason}")]
    Export {
        /// Its name.
        export: String,
        /// Reason.
        reason: &'static str,
    },
}

/// The behaviour of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behaviour {
    Returns,
    Waits,
    Ends,
}

/// A function that the host offers to guests.
struct Offer {
    /// The host's export.
    export: String,
    name: String,
    behaviour: Behaviour,
    /// Parameters without the guest's number.
    params: Vec<ValType>,
    results: Vec<ValType>,
}

/// Returns the thunks of each import module: its name, and WebAssembly.
///
/// # Errors
/// When `host` is not a module, or offers a function that does not take the guest's number first.
pub(crate) fn thunks(host: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ThunkError> {
    Ok(offers(host)?
        .into_iter()
        .map(|(module, offers)| (module, module_of(&offers)))
        .collect())
}

fn module_of(offers: &[Offer]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    types.ty().function([ValType::I32], []);
    let (pending_type, suspend_type, first_type) = (0, 1, 2);

    let mut imports = ImportSection::new();
    let guest = GlobalType {
        val_type: ValType::I32,
        mutable: false,
        shared: false,
    };
    imports.import("guest", "number", EntityType::Global(guest));
    imports.import("host", "pending", EntityType::Function(pending_type));
    imports.import("js", "suspend", EntityType::Function(suspend_type));
    let (pending, suspend, first_import) = (0, 1, 2);

    let mut functions = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    for (at, offer) in (0..).zip(offers) {
        let inner = [&[ValType::I32], &offer.params[..]].concat();
        types.ty().function(inner, offer.results.iter().copied());
        types
            .ty()
            .function(offer.params.iter().copied(), offer.results.iter().copied());
        imports.import(
            "host",
            &offer.export,
            EntityType::Function(first_type + 2 * at),
        );
        functions.function(first_type + 2 * at + 1);
        exports.export(
            &offer.name,
            ExportKind::Func,
            first_import + offers.len() as u32 + at,
        );

        let (params, results) = (offer.params.len() as u32, offer.results.len() as u32);
        let call = |body: &mut Function| {
            body.instruction(&Instruction::GlobalGet(0));
            for param in 0..params {
                body.instruction(&Instruction::LocalGet(param));
            }
            body.instruction(&Instruction::Call(first_import + at));
        };
        let mut body = Function::new_with_locals_types(match offer.behaviour {
            Behaviour::Waits => offer.results.clone(),
            Behaviour::Returns | Behaviour::Ends => Vec::new(),
        });
        match offer.behaviour {
            Behaviour::Returns => call(&mut body),
            Behaviour::Ends => {
                call(&mut body);
                body.instruction(&Instruction::Unreachable);
            }
            Behaviour::Waits => {
                body.instruction(&Instruction::Loop(BlockType::Empty));
                call(&mut body);
                for at in (0..results).rev() {
                    body.instruction(&Instruction::LocalSet(params + at));
                }
                body.instruction(&Instruction::GlobalGet(0));
                body.instruction(&Instruction::Call(pending));
                body.instruction(&Instruction::I32Eqz);
                body.instruction(&Instruction::If(BlockType::Empty));
                for at in 0..results {
                    body.instruction(&Instruction::LocalGet(params + at));
                }
                body.instruction(&Instruction::Return);
                body.instruction(&Instruction::End);
                body.instruction(&Instruction::GlobalGet(0));
                body.instruction(&Instruction::Call(suspend));
                body.instruction(&Instruction::Br(0));
                body.instruction(&Instruction::End);
                body.instruction(&Instruction::Unreachable);
            }
        }
        body.instruction(&Instruction::End);
        code.function(&body);
    }

    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// Returns the functions of `host` by import module, in order of name: equal hosts have equal thunks.
fn offers(host: &[u8]) -> Result<BTreeMap<String, Vec<Offer>>, ThunkError> {
    let mut types = Vec::new();
    let mut functions = Vec::new();
    let mut found: BTreeMap<String, Vec<Offer>> = BTreeMap::new();
    for payload in Parser::new(0).parse_all(host) {
        match payload? {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    types.push(ty?);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Func(ty) = import?.ty {
                        functions.push(ty);
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    functions.push(ty?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    let Some((behaviour, module, name)) = parse_name(export.name) else {
                        continue;
                    };
                    let fault = |reason| ThunkError::Export {
                        export: export.name.to_owned(),
                        reason,
                    };
                    if export.kind != ExternalKind::Func {
                        return Err(fault("it is not a function"));
                    }
                    let ty = functions
                        .get(export.index as usize)
                        .and_then(|ty| types.get(*ty as usize));
                    let ty = ty.ok_or_else(|| fault("it has no type"))?;
                    let (params, results) = (values(ty.params()), values(ty.results()));
                    let (Some(params), Some(results)) = (params, results) else {
                        return Err(fault("it takes or returns something else than numbers"));
                    };
                    let Some((ValType::I32, params)) = params.split_first() else {
                        return Err(fault("it does not take the guest's number first"));
                    };
                    found.entry(module.to_owned()).or_default().push(Offer {
                        export: export.name.to_owned(),
                        name: name.to_owned(),
                        behaviour,
                        params: params.to_vec(),
                        results,
                    });
                }
            }
            _ => {}
        }
    }
    for offers in found.values_mut() {
        offers.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(found)
}

/// Parses a name such as `waits!module.function`; returns `None` for exports that are not for guests.
fn parse_name(export: &str) -> Option<(Behaviour, &str, &str)> {
    let (behaviour, rest) = match export.split_once('!') {
        Some(("waits", rest)) => (Behaviour::Waits, rest),
        Some(("ends", rest)) => (Behaviour::Ends, rest),
        _ => (Behaviour::Returns, export),
    };
    let (module, name) = rest.split_once('.')?;
    Some((behaviour, module, name))
}

fn values(types: &[wasmparser::ValType]) -> Option<Vec<ValType>> {
    let value = |ty: &wasmparser::ValType| match ty {
        wasmparser::ValType::I32 => Some(ValType::I32),
        wasmparser::ValType::I64 => Some(ValType::I64),
        wasmparser::ValType::F32 => Some(ValType::F32),
        wasmparser::ValType::F64 => Some(ValType::F64),
        wasmparser::ValType::V128 | wasmparser::ValType::Ref(_) => None,
    };
    types.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(functions: &str) -> Vec<u8> {
        wat::parse_str(format!("(module {functions})")).expect("the text is well-formed")
    }

    #[test]
    fn thunks_have_the_signatures_that_guests_import() {
        let host = host(
            r#"(func (export "wasi.read") (param i32 i64 i32) (result i32) unreachable)
               (func (export "waits!wasi.poll") (param i32 f64) (result i64) unreachable)
               (func (export "ends!wasi.exit") (param i32 i32))
               (func (export "waits!pymode.sleep") (param i32))
               (func (export "pending") (param i32) (result i32) unreachable)"#,
        );
        let modules = thunks(&host).expect("the host is as it should be");
        let names: Vec<&str> = modules.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["pymode", "wasi"]);
        for (_, module) in &modules {
            wasmparser::validate(module).expect("thunks are valid");
        }
        let exports: Vec<String> = Parser::new(0)
            .parse_all(&modules[1].1)
            .filter_map(|payload| match payload {
                Ok(Payload::ExportSection(section)) => Some(section),
                _ => None,
            })
            .flatten()
            .map(|export| export.expect("it was validated").name.to_owned())
            .collect();
        assert_eq!(exports, ["exit", "poll", "read"]);
    }

    #[test]
    fn a_function_that_does_not_ask_for_the_guest_is_refused() {
        for (functions, reason) in [
            (r#"(func (export "a.b"))"#, "guest's number"),
            (r#"(func (export "a.b") (param i64))"#, "guest's number"),
            (r#"(func (export "a.b") (param i32 externref))"#, "numbers"),
            (r#"(memory (export "a.b") 1)"#, "not a function"),
        ] {
            let error = thunks(&host(functions)).expect_err(functions).to_string();
            assert!(error.contains("`a.b`") && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(thunks(b"no WebAssembly").is_err());
    }
}
