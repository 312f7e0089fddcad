//! Changes the binding of definitions in objects before they are linked into a side module.
//!
//! wasm-ld binds the calls of a strong function to the module's own, and both imports and exports a weak one that a
//! `-shared` module defines (its writer's `shouldImport`), so that another module's may come first. A module that binds
//! its symbols to itself wants no such import, and C++ is full of weak functions; a library that lets others come before
//! its strong functions wants one for these, too. Binding and visibility are flags in the `linking` section of each object
//! (tool-conventions, Linking.md), which change no length.

use std::ops::Range;

use object::read::archive::ArchiveFile;
use wasmparser::{KnownCustom, Linking, Parser, Payload, SymbolFlags, SymbolInfo};

/// Prefixes of Python's init functions; the second is for names that are not ASCII.
const INIT: [&str; 2] = ["PyInit_", "PyInitU_"];

const OBJECT_MAGIC: &[u8] = b"\0asm\x01\0\0\0";

/// Hides each weak definition of an object, or of each object in an archive; gives the names of those that were visible.
///
/// What is neither, or is damaged, stays as it is from there on: the linker has the better words for it.
pub(crate) fn hide_weak_definitions(file: &mut [u8]) -> Vec<String> {
    set_flag(file, SymbolFlags::VISIBILITY_HIDDEN, |symbol| {
        symbol.is_visible_definition() && symbol.flags.contains(SymbolFlags::BINDING_WEAK)
    })
}

/// Hides each function that an object defines, as [`hide_weak_definitions`] does.
pub(super) fn hide_functions(file: &mut [u8]) -> Vec<String> {
    set_flag(file, SymbolFlags::VISIBILITY_HIDDEN, |symbol| {
        symbol.is_visible_definition() && symbol.is_function
    })
}

/// Makes each strong function that an object defines for others a weak one; gives their names.
pub(super) fn weaken_functions(file: &mut [u8]) -> Vec<String> {
    set_flag(file, SymbolFlags::BINDING_WEAK, |symbol| {
        symbol.is_visible_definition()
            && symbol.is_function
            && !symbol.flags.contains(SymbolFlags::BINDING_WEAK)
    })
}

/// Sets a flag of the symbols that `wants` it; their names.
fn set_flag(file: &mut [u8], flag: SymbolFlags, wants: fn(&Symbol<'_>) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    let mut places = Vec::new();
    each_symbol(file, &mut |symbol| {
        if wants(&symbol) {
            places.push(symbol.flags_at);
            names.extend(symbol.name.map(str::to_owned));
        }
    });
    for at in places {
        // The flag lies in the low seven bits: the first byte of the number, whatever its length.
        file[at] |= flag.bits() as u8;
    }
    names
}

/// Returns the init functions of Python modules that an object, or one in an archive, defines.
pub(super) fn init_functions(file: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    each_symbol(file, &mut |symbol| {
        let is_init = |name: &&str| INIT.iter().any(|prefix| name.starts_with(prefix));
        if symbol.is_function && !symbol.flags.contains(SymbolFlags::UNDEFINED) {
            found.extend(symbol.name.filter(is_init).map(str::to_owned));
        }
    });
    found
}

/// Calls `see` for each symbol of an object or an archive, as far as it is well.
fn each_symbol(file: &[u8], see: &mut dyn FnMut(Symbol<'_>)) {
    for range in members(file) {
        // A member that is damaged does not end the walk: the others are well.
        let _ = symbols_of_object(file, range, see);
    }
}

/// Returns the positions of a file's objects: the file itself, or the valid members of an archive.
pub(super) fn members(file: &[u8]) -> Vec<Range<usize>> {
    if file.starts_with(OBJECT_MAGIC) {
        return std::iter::once(0..file.len()).collect();
    }
    let Ok(archive) = ArchiveFile::parse(file) else {
        return Vec::new();
    };
    let ranges = archive.members().map_while(Result::ok).map(|member| {
        let (start, size) = member.file_range();
        start as usize..start.saturating_add(size) as usize
    });
    let is_object = |range: &Range<usize>| {
        let member = file.get(range.clone());
        member.is_some_and(|member| member.starts_with(OBJECT_MAGIC))
    };
    ranges.filter(is_object).collect()
}

/// Calls `see` for the symbols of the object at `range`.
fn symbols_of_object(
    file: &[u8],
    range: Range<usize>,
    see: &mut dyn FnMut(Symbol<'_>),
) -> wasmparser::Result<()> {
    // Positions are those in the file.
    for payload in Parser::new(range.start as u64).parse_all(&file[range]) {
        let Payload::CustomSection(section) = payload? else {
            continue;
        };
        let KnownCustom::Linking(linking) = section.as_known() else {
            continue;
        };
        for subsection in linking.subsections() {
            let Linking::SymbolTable(symbols) = subsection? else {
                continue;
            };
            for symbol in symbols.into_iter_with_offsets() {
                let (at, symbol) = symbol?;
                see(Symbol::new(&symbol, at as usize));
            }
        }
    }
    Ok(())
}

struct Symbol<'a> {
    is_function: bool,
    flags: SymbolFlags,
    flags_at: usize,
    name: Option<&'a str>,
}

impl<'a> Symbol<'a> {
    fn new(symbol: &SymbolInfo<'a>, at: usize) -> Self {
        let (flags, name) = match *symbol {
            SymbolInfo::Func { flags, name, .. }
            | SymbolInfo::Global { flags, name, .. }
            | SymbolInfo::Event { flags, name, .. }
            | SymbolInfo::Table { flags, name, .. } => (flags, name),
            SymbolInfo::Data { flags, name, .. } => (flags, Some(name)),
            SymbolInfo::Section { flags, .. } => (flags, None),
        };
        Self {
            is_function: matches!(symbol, SymbolInfo::Func { .. }),
            flags,
            // The kind comes first, one byte.
            flags_at: at + 1,
            name,
        }
    }

    /// Returns `true` if it is defined here, and other modules may see it.
    fn is_visible_definition(&self) -> bool {
        let hidden =
            SymbolFlags::UNDEFINED | SymbolFlags::VISIBILITY_HIDDEN | SymbolFlags::BINDING_LOCAL;
        !self.flags.intersects(hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object with one weak function `w`, a strong one `s`, and a weak reference `u`.
    fn object() -> Vec<u8> {
        object_with(b"\x03\x00\x01\x00\x01w\x00\x00\x01\x01s\x00\x51\x02\x01u")
    }

    fn object_with(symbols: &[u8]) -> Vec<u8> {
        let mut body = b"\x07linking\x02\x08".to_vec();
        body.push(symbols.len() as u8);
        body.extend_from_slice(symbols);
        let mut object = OBJECT_MAGIC.to_vec();
        object.extend([0, body.len() as u8]);
        object.extend(body);
        object
    }

    #[test]
    fn only_weak_definitions_are_hidden() {
        let before = object();
        let mut after = before.clone();
        assert_eq!(hide_weak_definitions(&mut after), ["w"]);
        let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
        assert_eq!(changed, [(&0x01, &0x05)]);
        assert!(
            hide_weak_definitions(&mut after).is_empty(),
            "once is enough"
        );
    }

    #[test]
    fn only_strong_functions_become_weak() {
        let before = object();
        let mut after = before.clone();
        assert_eq!(weaken_functions(&mut after), ["s"]);
        let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
        assert_eq!(changed, [(&0x00, &0x01)]);
        assert_eq!(hide_functions(&mut after), ["w", "s"]);
    }

    #[test]
    fn init_functions_are_defined_functions() {
        assert!(init_functions(&object()).is_empty());
        // A definition, a reference, and data.
        let symbols =
            b"\x03\x00\x00\x00\x08PyInit_a\x00\x50\x01\x08PyInit_b\x01\x00\x08PyInit_c\x00\x00\x00";
        assert_eq!(init_functions(&object_with(symbols)), ["PyInit_a"]);
    }

    #[test]
    fn archives_are_walked_and_damage_is_survived() {
        let object = object();
        let mut archive = b"!<arch>\n".to_vec();
        for _ in 0..2 {
            archive.extend(format!("{:<48}{:<10}`\n", "a.o/", object.len()).bytes());
            archive.extend(&object);
            archive.extend(vec![b'\n'; object.len() & 1]);
        }
        assert_eq!(hide_weak_definitions(&mut archive.clone()), ["w", "w"]);
        for cut in 0..archive.len() {
            hide_weak_definitions(&mut archive[..cut].to_vec());
            let mut damaged = archive.clone();
            damaged[cut] ^= 0xff;
            hide_weak_definitions(&mut damaged);
        }
    }
}
