//! Names of functions in stack traces.
//!
//! V8 shows the name in a module's name section, the function's index and an offset in the file. So a bundle's modules have their
//! file's name there, and the function is looked up in the file.

use std::borrow::Cow;
use std::collections::HashMap;

use pymode_bundle::starts;
use pymode_toolchain::sections::{
    Edit, Section, SectionError, append_custom, edit, sections, without_subsection,
};
use wasm_encoder::{CustomSection, Encode};
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

/// The section with names.
const NAME: &str = "name";
/// Its subsection that names the module itself.
const MODULE_NAME: u8 = 0;

/// The functions of a module.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    imported: u32,
    /// Offset of each function's code in the file.
    bodies: Vec<u64>,
    names: HashMap<u32, String>,
}

impl Symbols {
    /// Reads the functions of a module. Those after a damaged part are missing.
    pub(crate) fn of(module: &[u8]) -> Symbols {
        let mut symbols = Symbols::default();
        for payload in Parser::new(0).parse_all(module).map_while(Result::ok) {
            match payload {
                Payload::ImportSection(section) => {
                    let functions = section.into_imports().filter_map(Result::ok);
                    let functions = functions.filter(|import| {
                        matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_))
                    });
                    symbols.imported = functions.count() as u32;
                }
                Payload::CodeSectionEntry(body) => symbols.bodies.push(body.range().start),
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        for part in names.into_iter().map_while(Result::ok) {
                            let Name::Function(map) = part else { continue };
                            let named = map.into_iter().map_while(Result::ok);
                            symbols
                                .names
                                .extend(named.map(|naming| (naming.index, naming.name.to_owned())));
                        }
                    }
                }
                _ => {}
            }
        }
        symbols
    }

    /// Takes the names from another form of the same module.
    pub(crate) fn named_as(&mut self, other: Symbols) {
        self.names = other.names;
    }

    /// Returns `function+offset`.
    pub(crate) fn at(&self, function: u32, offset: u64) -> String {
        let body = function
            .checked_sub(self.imported)
            .and_then(|at| self.bodies.get(at as usize));
        let offset = body.map_or(offset, |start| offset.saturating_sub(*start));
        match self.names.get(&function) {
            Some(name) => format!("{name}+{offset:#x}"),
            None => format!("function[{function}]+{offset:#x}"),
        }
    }
}

/// Returns the module with this name in its name section, and a section with its functions' offsets. Other files stay unchanged.
pub(crate) fn called<'a>(module: &'a [u8], name: &str) -> Cow<'a, [u8]> {
    renamed(module, name).map_or(module.into(), Into::into)
}

fn renamed(module: &[u8], name: &str) -> Result<Vec<u8>, SectionError> {
    let is_names = |section: &Section<'_>| section.name == Some(NAME);
    let has_names = sections(module)?.iter().any(is_names);
    let mut whole = edit(module, |section| {
        Ok(if is_names(section) {
            Edit::replace(&CustomSection {
                name: NAME.into(),
                data: names(name, section.content)?.into(),
            })
        } else {
            Edit::Keep
        })
    })?;
    if !has_names {
        append_custom(&mut whole, NAME, &names(name, &[])?);
    }
    let symbols = Symbols::of(&whole);
    let starts = starts::to_bytes(symbols.imported, &symbols.bodies);
    append_custom(&mut whole, starts::SECTION, &starts);
    Ok(whole)
}

/// Returns the content of a name section with another name of the module.
fn names(name: &str, old: &[u8]) -> wasmparser::Result<Vec<u8>> {
    let mut own = Vec::new();
    name.encode(&mut own);
    let mut data = vec![MODULE_NAME];
    own.encode(&mut data);
    data.extend(without_subsection(old, MODULE_NAME)?);
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = r#"(module $old
        (import "a" "b" (func $imported))
        (func $first nop)
        (func $second nop nop unreachable))"#;

    #[test]
    fn a_module_is_called_by_its_new_name_and_keeps_the_names_of_its_functions() {
        let module = wat::parse_str(MODULE).expect("the text is well-formed");
        for name in ["new", "a name that is longer than the old one was"] {
            let renamed = called(&module, name);
            wasmparser::validate(&renamed).expect("it is valid");
            let text = String::from_utf8_lossy(&renamed);
            assert!(
                text.contains(name) && !text.contains("old\u{1}"),
                "{text:?}"
            );
            let symbols = Symbols::of(&renamed);
            let start = symbols.bodies[1];
            assert_eq!(symbols.at(2, start + 3), "second+0x3");
        }
    }

    #[test]
    fn a_module_without_names_gets_one() {
        let module = wat::parse_str("(module (func nop))").expect("the text is well-formed");
        let stripped = edit(&module, |section| {
            Ok(match section.name {
                Some(NAME) => Edit::Remove,
                _ => Edit::Keep,
            })
        });
        let stripped = stripped.expect("it is a module");
        let renamed = called(&stripped, "new");
        wasmparser::validate(&renamed).expect("it is valid");
        assert!(renamed.starts_with(&stripped));
        let starts = b"\0\x10\x0dpymode.starts\0\x16";
        assert!(renamed.ends_with(&[b"\0\x04\x03new", &starts[..]].concat()));
        assert_eq!(Symbols::of(&renamed).at(7, 9), "function[7]+0x9");
    }

    #[test]
    fn what_is_damaged_stays_as_it_is() {
        let module = wat::parse_str(MODULE).expect("the text is well-formed");
        for cut in 0..module.len() {
            let cut = &module[..cut];
            // A cut between two sections leaves a valid module.
            if let Cow::Owned(renamed) = called(cut, "new") {
                wasmparser::Parser::new(0)
                    .parse_all(&renamed)
                    .for_each(drop);
                assert!(renamed.windows(4).any(|part| part == b"\x03new"));
            }
        }
        assert_eq!(&*called(b"no module", "new"), b"no module");
    }
}
