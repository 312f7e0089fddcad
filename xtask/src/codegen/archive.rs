//! The symbols that an archive of WebAssembly objects defines.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use object::read::archive::ArchiveFile;
use pymode_abi::ValType;
use pymode_abi::model::{Kind, Signature};
use wasmparser::{
    FuncType, KnownCustom, Linking, Parser, Payload, SymbolFlags, SymbolInfo, TypeRef,
};

use crate::error::Error;

/// A symbol that a linker may take from the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Symbol {
    pub(crate) kind: Kind,
    /// Whether `--export-dynamic` would export it.
    pub(crate) visible: bool,
}

/// Symbols by name.
pub(crate) type Symbols = BTreeMap<String, Symbol>;

/// Reads every object of the archive. Of two definitions the first counts, as it does for the linker.
pub(crate) fn symbols(path: &Path) -> Result<Symbols, Error> {
    let bytes = fs::read(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })?;
    let bad = |reason: String| Error::Archive {
        path: path.to_owned(),
        reason,
    };
    let archive = ArchiveFile::parse(bytes.as_slice()).map_err(|error| bad(error.to_string()))?;
    let mut symbols = Symbols::new();
    for member in archive.members() {
        let member = member.map_err(|error| bad(error.to_string()))?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        let data = member
            .data(bytes.as_slice())
            .map_err(|error| bad(format!("{name}: {error}")))?;
        if data.starts_with(b"\0asm") {
            object_symbols(data, &mut symbols)
                .map_err(|reason| bad(format!("{name}: {reason}")))?;
        }
    }
    Ok(symbols)
}

/// What an object says of its functions before its symbol table: their types.
#[derive(Default)]
struct Functions {
    types: Vec<FuncType>,
    /// The type of each function, imported ones first.
    of: Vec<u32>,
}

impl Functions {
    fn signature(&self, function: u32) -> Result<Signature, String> {
        let ty = self
            .of
            .get(function as usize)
            .and_then(|&ty| self.types.get(ty as usize));
        let ty = ty.ok_or_else(|| {
            format!("its symbol table names function {function}, which it does not have")
        })?;
        Ok(Signature {
            params: values(ty.params())?,
            results: values(ty.results())?,
        })
    }
}

fn object_symbols(data: &[u8], symbols: &mut Symbols) -> Result<(), String> {
    let text = |error: wasmparser::BinaryReaderError| error.to_string();
    let mut functions = Functions::default();
    for payload in Parser::new(0).parse_all(data) {
        match payload.map_err(text)? {
            Payload::TypeSection(reader) => {
                for ty in reader.into_iter_err_on_gc_types() {
                    functions.types.push(ty.map_err(text)?);
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    if let TypeRef::Func(ty) = import.map_err(text)?.ty {
                        functions.of.push(ty);
                    }
                }
            }
            Payload::FunctionSection(reader) => {
                for ty in reader {
                    functions.of.push(ty.map_err(text)?);
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Linking(linking) = section.as_known() {
                    for subsection in linking.subsections() {
                        if let Linking::SymbolTable(table) = subsection.map_err(text)? {
                            for symbol in table {
                                add(symbol.map_err(text)?, &functions, symbols)?;
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

fn add(symbol: SymbolInfo<'_>, functions: &Functions, symbols: &mut Symbols) -> Result<(), String> {
    let (name, flags, kind) = match symbol {
        SymbolInfo::Func {
            flags,
            index,
            name: Some(name),
        } if defined(flags) => (name, flags, Kind::Function(functions.signature(index)?)),
        SymbolInfo::Data {
            flags,
            name,
            symbol: Some(_),
        } if defined(flags) => (name, flags, Kind::Data),
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
            other => Err(format!(
                "a signature has the type `{other}`, which is not in the contract"
            )),
        })
        .collect()
}
