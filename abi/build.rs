//! Generates the Rust tables from `imports.toml` and `exports.toml`, so that they cannot drift.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

#[path = "src/model.rs"]
#[allow(dead_code, unreachable_pub, reason = "the crate uses the other half")]
mod model;
#[path = "src/types.rs"]
#[allow(dead_code, unreachable_pub, reason = "the crate uses the other half")]
mod types;

use model::{ExportKind, Exports, Imports, Signature};
use types::{ValType, Why};

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    let imports = read("imports.toml", model::imports)?;
    let exports = read("exports.toml", model::exports)?;
    fs::write(
        Path::new(&out).join("tables.rs"),
        tables(&imports, &exports)?,
    )?;
    println!("cargo::rerun-if-changed=src/model.rs");
    println!("cargo::rerun-if-changed=src/types.rs");
    Ok(())
}

fn read<T>(
    name: &str,
    parse: impl Fn(&str) -> Result<T, model::ModelError>,
) -> Result<T, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={name}");
    let text = fs::read_to_string(name).map_err(|error| format!("abi/{name}: {error}"))?;
    parse(&text).map_err(|error| format!("abi/{name}: {error}").into())
}

fn tables(imports: &Imports, exports: &Exports) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(
        out,
        "/// Functions of the host, sorted by name.\npub static IMPORTS: &[Import] = &["
    )?;
    for (name, import) in imports {
        writeln!(
            out,
            "    Import {{ name: {name:?}, signature: {}, may_suspend: {} }},",
            signature(&import.signature()),
            import.may_suspend
        )?;
    }
    writeln!(
        out,
        "];\n\n/// Exports of python.wasm for side modules, sorted by name.\npub static EXPORTS: &[Export] = &["
    )?;
    for (name, (why, kind)) in exports {
        writeln!(
            out,
            "    Export {{ name: {name:?}, kind: {}, why: Why::{} }},",
            self::kind(kind),
            reason(*why)
        )?;
    }
    writeln!(out, "];")?;
    Ok(out)
}

fn kind(kind: &ExportKind) -> String {
    match kind {
        ExportKind::Function(ty) => format!("ExportKind::Function({})", signature(ty)),
        ExportKind::Data => "ExportKind::Data".to_owned(),
        ExportKind::Global(ty) => format!("ExportKind::Global(ValType::{})", value(*ty)),
        ExportKind::Table => "ExportKind::Table".to_owned(),
        ExportKind::Memory => "ExportKind::Memory".to_owned(),
        ExportKind::Tag(ty) => format!("ExportKind::Tag({})", signature(ty)),
    }
}

fn signature(signature: &Signature) -> String {
    let list = |types: &[ValType]| {
        types
            .iter()
            .map(|ty| format!("ValType::{}", value(*ty)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    format!(
        "Signature {{ params: &[{}], results: &[{}] }}",
        list(&signature.params),
        list(&signature.results)
    )
}

fn value(ty: ValType) -> &'static str {
    match ty {
        ValType::I32 => "I32",
        ValType::I64 => "I64",
        ValType::F32 => "F32",
        ValType::F64 => "F64",
    }
}

fn reason(why: Why) -> &'static str {
    match why {
        Why::Runtime => "Runtime",
        Why::Python => "Python",
        Why::Libc => "Libc",
        Why::CompilerRt => "CompilerRt",
    }
}
