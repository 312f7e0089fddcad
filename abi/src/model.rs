//! The tables as they are written: `imports.toml` and `exports.toml`, parsed into types that cannot be wrong.
//!
//! The build script includes this file as well, so that the Rust tables and the generated pages read the same thing.

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

/// What an export is, with lists that can grow.
pub type Kind = types::Kind<Vec<ValType>>;

impl FromStr for Signature {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let (params, results) = text.split_once(" -> ").unwrap_or((text, ""));
        let params = params
            .strip_prefix('(')
            .and_then(|inner| inner.strip_suffix(')'))
            .ok_or_else(|| ModelError::Kind {
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

impl FromStr for Kind {
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
pub type Exports = BTreeMap<String, (Why, Kind)>;

/// Reads `exports.toml`.
///
/// # Errors
/// When the text is not TOML, a heading or a type is unknown, or a name stands twice.
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

/// One host import as `imports.toml` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// What it does, in a sentence or two.
    pub doc: String,
    /// What it takes.
    #[serde(default)]
    pub params: Vec<Param>,
    /// What it gives back, when it does.
    pub result: Option<Returned>,
    /// How it says that it failed.
    pub errors: String,
    /// Whether the guest may be suspended while it waits.
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
    /// What it means.
    pub doc: String,
}

/// What a host import gives back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// Its C type.
    #[serde(rename = "type")]
    pub c_type: CType,
    /// What it means.
    pub doc: String,
}

/// A C type that may stand in a host import.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct CType {
    text: String,
    wasm: ValType,
}

impl CType {
    /// As C writes it, for example `const char *`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As WebAssembly sees it.
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
    /// Its type as WebAssembly sees it.
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
/// When the text is not TOML, or has a field or a C type that is not known here.
pub fn imports(text: &str) -> Result<Imports, ModelError> {
    Ok(toml::from_str(text)?)
}

/// What can be wrong with a table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// It is not TOML, or not of the right shape.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// A heading of `exports.toml` that has no meaning.
    #[error(
        "`[{heading}]` is no reason to export a symbol\nhint: `runtime`, `python`, `libc` or `compiler-rt`"
    )]
    #[allow(missing_docs)]
    Heading { heading: String },
    /// A type that is none.
    #[error(
        "`{text}` is no type of an export\nhint: `(i32 i64) -> i32`, `data`, `global mut i32`, `tag (i32)`, `table` or `memory`"
    )]
    #[allow(missing_docs)]
    Kind { text: String },
    /// A value type that is none.
    #[error("`{text}` is no value type of the contract\nhint: `i32`, `i64`, `f32` or `f64`")]
    #[allow(missing_docs)]
    ValType { text: String },
    /// A C type that is not known here.
    #[error(
        "`{text}` is no C type that a host import may use\nhint: a pointer, `size_t`, `int`, `[u]int32_t`, `[u]int64_t`, `float` or `double`"
    )]
    #[allow(missing_docs)]
    CType { text: String },
    /// One name under two headings.
    #[error("`{name}` stands under two headings")]
    #[allow(missing_docs)]
    Twice { name: String },
}
