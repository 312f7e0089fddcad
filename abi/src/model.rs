//! The source tables, `imports.toml` and `exports.toml`, parsed into types that cannot be invalid.
//!
//! The build script includes this file, too, so that the Rust tables and the generated pages have one parser.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Deserialize;

use crate::types::{self, ValType, Why};

impl FromStr for ValType {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        match text {
            "i32" => Ok(Self::I32),
            "i64" => Ok(Self::I64),
            "f32" => Ok(Self::F32),
            "f64" => Ok(Self::F64),
            _ => Err(ModelError::ValType {
                text: text.to_owned(),
            }),
        }
    }
}

/// A signature whose lists can grow.
pub type Signature = types::Signature<Vec<ValType>>;

/// The type of an export, with lists that can grow.
pub type ExportKind = types::ExportKind<Vec<ValType>>;

impl FromStr for Signature {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let (params, results) = text.split_once(" -> ").unwrap_or((text, ""));
        let params = params
            .strip_prefix('(')
            .and_then(|inner| inner.strip_suffix(')'))
            .ok_or_else(|| ModelError::ExportKind {
                text: text.to_owned(),
            })?;
        let types = |list: &str| {
            list.split_whitespace()
                .map(ValType::from_str)
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            params: types(params)?,
            results: types(results)?,
        })
    }
}

impl FromStr for ExportKind {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        if let Some(ty) = text.strip_prefix("global mut ") {
            return Ok(Self::Global(ty.parse()?));
        }
        if let Some(signature) = text.strip_prefix("tag ") {
            return Ok(Self::Tag(signature.parse()?));
        }
        match text {
            "data" => Ok(Self::Data),
            "table" => Ok(Self::Table),
            "memory" => Ok(Self::Memory),
            _ => Ok(Self::Function(text.parse()?)),
        }
    }
}

/// The whole of `exports.toml`: by name, in order.
pub type Exports = BTreeMap<String, (Why, ExportKind)>;

/// Reads `exports.toml`.
///
/// # Errors
/// When the text is not TOML, a heading or a type is unknown, or a name occurs twice.
pub fn exports(text: &str) -> Result<Exports, ModelError> {
    let groups: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text)?;
    let mut exports = Exports::new();
    for (heading, entries) in groups {
        let why = Why::ALL
            .into_iter()
            .find(|why| why.heading() == heading)
            .ok_or(ModelError::Heading { heading })?;
        for (name, kind) in entries {
            let kind = kind.parse()?;
            if exports.insert(name.clone(), (why, kind)).is_some() {
                return Err(ModelError::Twice { name });
            }
        }
    }
    Ok(exports)
}

/// One host import in `imports.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Description, in a sentence or two.
    pub doc: String,
    /// Parameters.
    #[serde(default)]
    pub params: Vec<Param>,
    /// Result, if there is one.
    pub result: Option<Returned>,
    /// Error reporting.
    pub errors: String,
    /// `true` if it may suspend the guest.
    #[serde(default)]
    pub may_suspend: bool,
}

/// One parameter of a host import.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Its name in C and on the docs page.
    pub name: String,
    /// Its C type.
    #[serde(rename = "type")]
    pub c_type: CType,
    /// Description.
    pub doc: String,
}

/// The result of a host import.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// Its C type.
    #[serde(rename = "type")]
    pub c_type: CType,
    /// Description.
    pub doc: String,
}

/// A C type that a host import may use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct CType {
    text: String,
    wasm: ValType,
}

impl CType {
    /// The type in C, for example `const char *`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The type in WebAssembly.
    #[must_use]
    pub fn wasm(&self) -> ValType {
        self.wasm
    }
}

impl TryFrom<String> for CType {
    type Error = ModelError;

    fn try_from(text: String) -> Result<Self, ModelError> {
        let wasm = match text.as_str() {
            "int" | "int32_t" | "uint32_t" | "size_t" => ValType::I32,
            "int64_t" | "uint64_t" => ValType::I64,
            "float" => ValType::F32,
            "double" => ValType::F64,
            pointer if pointer.ends_with('*') => ValType::I32,
            _ => return Err(ModelError::CType { text }),
        };
        Ok(Self { text, wasm })
    }
}

impl Import {
    /// The type in WebAssembly.
    #[must_use]
    pub fn signature(&self) -> Signature {
        Signature {
            params: self
                .params
                .iter()
                .map(|param| param.c_type.wasm())
                .collect(),
            results: self
                .result
                .iter()
                .map(|result| result.c_type.wasm())
                .collect(),
        }
    }
}

/// The whole of `imports.toml`: by name, in order.
pub type Imports = BTreeMap<String, Import>;

/// Reads `imports.toml`.
///
/// # Errors
/// When the text is not TOML, or has an unknown field or C type.
pub fn imports(text: &str) -> Result<Imports, ModelError> {
    Ok(toml::from_str(text)?)
}

/// Errors of a table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Invalid TOML, or another structure.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// An unknown heading of `exports.toml`.
    #[error(
        "unknown heading `[{heading}]`\nhint: use `runtime`, `python`, `libc` or `compiler-rt`"
    )]
    #[allow(missing_docs)]
    Heading { heading: String },
    /// An invalid type of an export.
    #[error(
        "invalid export type `{text}`\nhint: use `(i32 i64) -> i32`, `data`, `global mut i32`, `tag (i32)`, `table` or `memory`"
    )]
    #[allow(missing_docs)]
    ExportKind { text: String },
    /// An invalid value type.
    #[error("invalid value type `{text}`\nhint: use `i32`, `i64`, `f32` or `f64`")]
    #[allow(missing_docs)]
    ValType { text: String },
    /// An unsupported C type.
    #[error(
        "invalid C type `{text}`\nhint: use a pointer, `size_t`, `int`, `[u]int32_t`, `[u]int64_t`, `float` or `double`"
    )]
    #[allow(missing_docs)]
    CType { text: String },
    /// A name under two headings.
    #[error("duplicate name `{name}`: it is under two headings")]
    #[allow(missing_docs)]
    Twice { name: String },
}
