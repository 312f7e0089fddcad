//! Extension modules with a given number of imports, and a Worker that instantiates them without a linker.

use std::fmt::Write;

use pymode_abi::{EXPORTS, ExportKind, ValType, Why};
use pymode_workerd::{Bundle, Module, ModuleKind};

const BARE: &str = include_str!("../../../workers/bare.js");

/// An extension module that imports `imports` functions of the C API and of libc.
pub(super) fn side(name: &str, imports: usize) -> Result<Vec<u8>, wat::Error> {
    let mut text = String::from(
        "(module (@custom \"dylink.0\" (before first) \"\\01\\04\\40\\02\\00\\00\")\n\
         (import \"env\" \"memory\" (memory 0)) (import \"env\" \"__memory_base\" (global $base i32))\n\
         (import \"env\" \"PyModuleDef_Init\" (func $init (param i32) (result i32)))\n",
    );
    let functions = EXPORTS.iter().filter_map(|export| match export.kind {
        ExportKind::Function(signature) if export.why != Why::Runtime => {
            Some((export.name, signature))
        }
        _ => None,
    });
    let others = functions.filter(|(name, _)| *name != "PyModuleDef_Init");
    for (name, signature) in others.take(imports - 1) {
        let _ = write!(text, "(import \"env\" \"{name}\" (func");
        for (word, types) in [("param", signature.params), ("result", signature.results)] {
            if !types.is_empty() {
                let types: Vec<&str> = types.iter().map(|ty| of(*ty)).collect();
                let _ = write!(text, " ({word} {})", types.join(" "));
            }
        }
        text.push_str("))\n");
    }
    let version = pymode_abi::VERSION;
    let _ = write!(
        text,
        "(func (export \"PyInit_{name}\") (result i32) (call $init (global.get $base)))\n\
         (@custom \"pymode.abi\" \"\\{version:02x}\"))"
    );
    wat::parse_str(text)
}

fn of(ty: ValType) -> &'static str {
    match ty {
        ValType::I32 => "i32",
        ValType::I64 => "i64",
        ValType::F32 => "f32",
        ValType::F64 => "f64",
    }
}

/// A Worker with the python.wasm of `python` and these side modules.
pub(super) fn bare(python: &Bundle, sides: &[(String, Vec<u8>)]) -> Bundle {
    let main = python
        .modules()
        .iter()
        .find(|module| module.name == "python.wasm");
    let mut modules = vec![Module::bytes("entry.js", ModuleKind::Script, BARE.into())];
    modules.extend(main.cloned());
    let mut script = String::from("export { default as main } from \"./python.wasm\";\n");
    let mut list = String::from("export const sides = [");
    for (at, (name, wasm)) in sides.iter().enumerate() {
        let _ = writeln!(script, "import s{at} from \"./{name}\";");
        let _ = write!(list, "s{at}, ");
        modules.push(Module::bytes(name, ModuleKind::Wasm, wasm.clone()));
    }
    let script = format!("{script}{list}];\n");
    modules.push(Module::bytes(
        "modules.js",
        ModuleKind::Script,
        script.into(),
    ));
    Bundle::of(modules).with_object("PythonObject")
}
