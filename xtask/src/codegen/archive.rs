//! Reads the symbols that WebAssembly objects define, alone or in an archive.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use object::read::archive::ArchiveFile;
use pymode_abi::ValType;
use pymode_abi::model::{ExportKind, Signature};
use wasmparser::{
    FuncType, KnownCustom, Linking, Parser, Payload, SymbolFlags, SymbolInfo, TypeRef,
};

use crate::error::Error;

/// A symbol that a linker may take from the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Symbol {
    pub(super) kind: ExportKind,
    /// `true` if `--export-dynamic` would export it.
    pub(super) visible: bool,
}

/// Magic number of an object.
const OBJECT: &[u8] = b"\0asm";

/// Symbols by name.
pub(super) type Symbols = BTreeMap<String, Symbol>;

/// Reads every object of the files. The first of two definitions counts, as for the linker.
pub(super) fn symbols(paths: &[PathBuf]) -> Result<Symbols, Error> {
    let mut symbols = Symbols::new();
    for path in paths {
        file_symbols(path, &mut symbols)?;
    }
    Ok(symbols)
}

fn file_symbols(path: &Path, symbols: &mut Symbols) -> Result<(), Error> {
    let bytes = fs::read(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })?;
    let bad = |reason: String| Error::Archive {
        path: path.to_owned(),
        reason,
    };
    if bytes.starts_with(OBJECT) {
        return object_symbols(&bytes, symbols).map_err(bad);
    }
    let archive = ArchiveFile::parse(bytes.as_slice()).map_err(|error| bad(error.to_string()))?;
    for member in archive.members() {
        let member = member.map_err(|error| bad(error.to_string()))?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        let data = member
            .data(bytes.as_slice())
            .map_err(|error| bad(format!("{name}: {error}")))?;
        if data.starts_with(OBJECT) {
            object_symbols(data, symbols).map_err(|reason| bad(format!("{name}: {reason}")))?;
        }
    }
    Ok(())
}

/// The types of an object's functions and tags, which precede its symbol table.
#[derive(Default)]
struct Types {
    types: Vec<FuncType>,
    /// Type of each function, imported ones first.
    functions: Vec<u32>,
    /// Type of each tag, imported ones first.
    tags: Vec<u32>,
}

impl Types {
    /// Type of a function or tag by its index.
    fn signature(&self, space: &[u32], index: u32) -> Result<Signature, String> {
        let ty = space.get(index as usize);
        let ty = ty.and_then(|&ty| self.types.get(ty as usize));
        let ty = ty.ok_or_else(|| format!("invalid symbol table: no item {index}"))?;
        Ok(Signature {
            params: values(ty.params())?,
            results: values(ty.results())?,
        })
    }
}

fn object_symbols(data: &[u8], symbols: &mut Symbols) -> Result<(), String> {
    let text = |error: wasmparser::BinaryReaderError| error.to_string();
    let mut types = Types::default();
    for payload in Parser::new(0).parse_all(data) {
        match payload.map_err(text)? {
            Payload::TypeSection(reader) => {
                for ty in reader.into_iter_err_on_gc_types() {
                    types.types.push(ty.map_err(text)?);
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    match import.map_err(text)?.ty {
                        TypeRef::Func(ty) => types.functions.push(ty),
                        TypeRef::Tag(tag) => types.tags.push(tag.func_type_idx),
                        _ => {}
                    }
                }
            }
            Payload::FunctionSection(reader) => {
                for ty in reader {
                    types.functions.push(ty.map_err(text)?);
                }
            }
            Payload::TagSection(reader) => {
                for tag in reader {
                    types.tags.push(tag.map_err(text)?.func_type_idx);
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Linking(linking) = section.as_known() {
                    for subsection in linking.subsections() {
                        if let Linking::SymbolTable(table) = subsection.map_err(text)? {
                            for symbol in table {
                                add(&symbol.map_err(text)?, &types, symbols)?;
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn add(symbol: &SymbolInfo<'_>, types: &Types, symbols: &mut Symbols) -> Result<(), String> {
    let (name, flags, kind) = match *symbol {
        SymbolInfo::Func {
            flags,
            index,
            name: Some(name),
        } if defined(flags) => {
            let signature = types.signature(&types.functions, index)?;
            (name, flags, ExportKind::Function(signature))
        }
        SymbolInfo::Event {
            flags,
            index,
            name: Some(name),
        } if defined(flags) => {
            let signature = types.signature(&types.tags, index)?;
            (name, flags, ExportKind::Tag(signature))
        }
        SymbolInfo::Data {
            flags,
            name,
            symbol: Some(_),
        } if defined(flags) => (name, flags, ExportKind::Data),
        _ => return Ok(()),
    };
    let visible = !flags.contains(SymbolFlags::VISIBILITY_HIDDEN);
    symbols
        .entry(name.to_owned())
        .or_insert(Symbol { kind, visible });
    Ok(())
}

fn defined(flags: SymbolFlags) -> bool {
    !flags.intersects(SymbolFlags::UNDEFINED | SymbolFlags::BINDING_LOCAL)
}

fn values(types: &[wasmparser::ValType]) -> Result<Vec<ValType>, String> {
    types
        .iter()
        .map(|ty| match ty {
            wasmparser::ValType::I32 => Ok(ValType::I32),
            wasmparser::ValType::I64 => Ok(ValType::I64),
            wasmparser::ValType::F32 => Ok(ValType::F32),
            wasmparser::ValType::F64 => Ok(ValType::F64),
            other => Err(format!("unsupported type `{other}` in a signature")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use pymode_toolchain::{Cache, Reporter, zig};

    use super::*;

    const SOURCE: &str = r#"
        #define PUBLIC __attribute__((visibility("default")))
        #define HIDDEN __attribute__((visibility("hidden")))
        int elsewhere(int);
        PUBLIC int number = 5;
        PUBLIC double half(float x, long long y) { return x / y + elsewhere(number); }
        HIDDEN void inner(void) {}
        static __attribute__((used)) void local(void) {}
        PUBLIC __attribute__((weak)) void maybe(void) { local(); }
        __asm__(".tagtype thrown i32\n.globl thrown\nthrown:\n");
    "#;

    /// The source above as an object, and as an archive with that object.
    fn compiled(dir: &Path) -> [PathBuf; 2] {
        let reporter = Reporter::stderr();
        let cache = Cache::open().expect("a cache").with_reporter(&reporter);
        let zig = zig::provision(&cache, &reporter).unwrap_or_else(|error| panic!("{error}"));
        let [source, object, archive] = ["a.c", "a.o", "a.a"].map(|name| dir.join(name));
        fs::write(&source, SOURCE).expect("the folder can be written");
        let run = |mut command: Command| {
            let output = command.output().expect("zig starts");
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{stderr}");
        };
        let mut cc = zig.command("cc");
        cc.args(["-target", "wasm32-wasi", "-mexception-handling", "-c"]);
        cc.arg(&source).arg("-o").arg(&object);
        run(cc);
        let mut ar = zig.command("ar");
        ar.arg("rcs").arg(&archive).arg(&object);
        run(ar);
        [object, archive]
    }

    #[test]
    fn kinds_types_and_visibility_are_read() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let [object, archive] = compiled(dir.path());
        let found = symbols(&[object]).expect("it is an object");
        let shown: Vec<_> = found
            .iter()
            .map(|(name, symbol)| (name.as_str(), symbol.kind.to_string(), symbol.visible))
            .collect();
        assert_eq!(
            shown,
            [
                ("half", "(f32 i64) -> f64".to_owned(), true),
                ("inner", "()".to_owned(), false),
                ("maybe", "()".to_owned(), true),
                ("number", "data".to_owned(), true),
                ("thrown", "tag (i32)".to_owned(), true),
            ]
        );
        assert_eq!(symbols(&[archive]).expect("it is an archive"), found);
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let [object, _] = compiled(dir.path());
        let bytes = fs::read(&object).expect("zig has written it");
        for length in [0, 3, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&object, &bytes[..length]).expect("the folder can be written");
            let refused = symbols(std::slice::from_ref(&object)).expect_err("it is cut short");
            assert!(matches!(refused, Error::Archive { .. }), "{refused}");
        }
    }
}
