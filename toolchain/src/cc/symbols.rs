//! Changes the binding of definitions in objects before they are linked into a side module.
//!
//! wasm-ld binds the calls of a strong function to the module's own, and both imports and exports a weak one that a
//! `-shared` module defines (its writer's `shouldImport`), so that another module's may come first. A module that binds
//! its symbols to itself wants no such import, and C++ is full of weak functions; a library that lets others come before
//! its strong functions wants one for these, too. Binding and visibility are flags in the `linking` section of each object
//! (tool-conventions, Linking.md), which change no length.

use std::ops::Range;

/// Symbol flags of Linking.md.
const BINDING_MASK: u32 = 0x3;
const BINDING_WEAK: u32 = 0x1;
const BINDING_LOCAL: u32 = 0x2;
const VISIBILITY_HIDDEN: u32 = 0x4;
const UNDEFINED: u32 = 0x10;
const EXPLICIT_NAME: u32 = 0x40;

/// The kind of a symbol that is a function.
const FUNCTION: u8 = 0;

/// The subsection of `linking` that holds the symbols.
const SYMBOL_TABLE: u8 = 8;

const OBJECT_MAGIC: &[u8] = b"\0asm\x01\0\0\0";
const ARCHIVE_MAGIC: &[u8] = b"!<arch>\n";
/// Name, times, owner, mode, size in ten digits at 48, two bytes that end it.
const MEMBER_HEADER: usize = 60;

/// Hides each weak definition of an object, or of each object in an archive; gives the names of those that were visible.
///
/// What is neither, or is damaged, stays as it is from there on: the linker has the better words for it.
pub(crate) fn hide_weak_definitions(file: &mut [u8]) -> Vec<String> {
    set_flag(file, VISIBILITY_HIDDEN, |symbol| {
        symbol.is_visible_definition() && symbol.flags & BINDING_MASK == BINDING_WEAK
    })
}

/// Hides each function that an object defines, as [`hide_weak_definitions`] does.
pub(super) fn hide_functions(file: &mut [u8]) -> Vec<String> {
    set_flag(file, VISIBILITY_HIDDEN, |symbol| {
        symbol.is_visible_definition() && symbol.kind == FUNCTION
    })
}

/// Makes each strong function that an object defines for others a weak one; gives their names.
pub(super) fn weaken_functions(file: &mut [u8]) -> Vec<String> {
    set_flag(file, BINDING_WEAK, |symbol| {
        symbol.is_visible_definition()
            && symbol.kind == FUNCTION
            && symbol.flags & BINDING_MASK == 0
    })
}

/// Sets a flag of the symbols that `wants` it; their names.
fn set_flag(file: &mut [u8], flag: u32, wants: fn(&Symbol) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    let mut places = Vec::new();
    each_symbol(file, &mut |symbol| {
        if wants(&symbol) {
            places.push(symbol.flags_at);
            names.extend(symbol.name);
        }
    });
    for at in places {
        // The flag lies in the low seven bits: the first byte of the number, whatever its length.
        file[at] |= flag as u8;
    }
    names
}

/// Returns `true` if an object, or one in an archive, defines a symbol.
pub(super) fn defines(file: &[u8], name: &str) -> bool {
    let mut found = false;
    each_symbol(file, &mut |symbol| {
        found |= symbol.flags & UNDEFINED == 0 && symbol.name.as_deref() == Some(name);
    });
    found
}

/// Calls `see` for each symbol of an object or an archive, as far as it is well.
fn each_symbol(file: &[u8], see: &mut dyn FnMut(Symbol)) {
    for Range { start, end } in members(file) {
        // A member that is damaged does not end the walk: the others are well.
        let _ = symbols_of_object(file, start, end, see);
    }
}

/// Returns the positions of a file's objects: the file itself, or the valid members of an archive.
pub(super) fn members(file: &[u8]) -> Vec<Range<usize>> {
    let mut members = Vec::new();
    if file.starts_with(OBJECT_MAGIC) {
        members.push(0..file.len());
    } else if file.starts_with(ARCHIVE_MAGIC) {
        let _ = members_of_archive(file, &mut members);
    }
    members
}

fn members_of_archive(file: &[u8], members: &mut Vec<Range<usize>>) -> Option<()> {
    let mut at = ARCHIVE_MAGIC.len();
    while let Some(header) = file.get(at..at + MEMBER_HEADER) {
        let size: usize = std::str::from_utf8(&header[48..58])
            .ok()?
            .trim_end()
            .parse()
            .ok()?;
        let start = at + MEMBER_HEADER;
        let end = start.checked_add(size)?;
        if file.get(start..end)?.starts_with(OBJECT_MAGIC) {
            members.push(start..end);
        }
        at = end + (size & 1); // Members begin at even places.
    }
    Some(())
}

/// The symbols of the object that is `file[start..end]`; their places are those in `file`.
fn symbols_of_object(
    file: &[u8],
    start: usize,
    end: usize,
    see: &mut dyn FnMut(Symbol),
) -> Option<()> {
    let mut at = start + OBJECT_MAGIC.len();
    while at < end {
        let mut reader = Reader {
            bytes: &file[..end],
            at,
        };
        let id = reader.byte()?;
        let size = reader.number()? as usize;
        let body = reader.at;
        let next = body.checked_add(size)?;
        if next > end {
            return None;
        }
        if id == 0 {
            let mut section = Reader {
                bytes: &file[..next],
                at: body,
            };
            if section.name()? == "linking" {
                let _version = section.number()?;
                return symbols_of_linking(section, see);
            }
        }
        at = next;
    }
    Some(())
}

fn symbols_of_linking(mut reader: Reader<'_>, see: &mut dyn FnMut(Symbol)) -> Option<()> {
    while reader.at < reader.bytes.len() {
        let id = reader.byte()?;
        let size = reader.number()? as usize;
        let next = reader.at.checked_add(size)?;
        if id == SYMBOL_TABLE {
            for _ in 0..reader.number()? {
                see(reader.symbol()?);
            }
        }
        reader.at = next;
    }
    Some(())
}

struct Symbol {
    kind: u8,
    flags: u32,
    flags_at: usize,
    name: Option<String>,
}

impl Symbol {
    /// Returns `true` if it is defined here, and other modules may see it.
    fn is_visible_definition(&self) -> bool {
        self.flags & (UNDEFINED | VISIBILITY_HIDDEN | BINDING_LOCAL) == 0
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// An unsigned LEB128 of at most 32 bits.
    fn number(&mut self) -> Option<u32> {
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).ok();
            }
        }
        None
    }

    fn name(&mut self) -> Option<String> {
        let length = self.number()? as usize;
        let end = self.at.checked_add(length)?;
        let name = std::str::from_utf8(self.bytes.get(self.at..end)?)
            .ok()?
            .to_owned();
        self.at = end;
        Some(name)
    }

    /// One entry of the symbol table.
    fn symbol(&mut self) -> Option<Symbol> {
        let kind = self.byte()?;
        let flags_at = self.at;
        let flags = self.number()?;
        let defined = flags & UNDEFINED == 0;
        let name = match kind {
            // Function, global, event, table: an index, and a name unless it is that of the import.
            0 | 2 | 4 | 5 => {
                self.number()?;
                if defined || flags & EXPLICIT_NAME != 0 {
                    Some(self.name()?)
                } else {
                    None
                }
            }
            // Data: a name, and a place when it is defined.
            1 => {
                let name = self.name()?;
                if defined {
                    let (_segment, _offset, _size) =
                        (self.number()?, self.number()?, self.number()?);
                }
                Some(name)
            }
            // Section.
            3 => {
                self.number()?;
                None
            }
            _ => return None,
        };
        Some(Symbol {
            kind,
            flags,
            flags_at,
            name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object with one weak function `w`, a strong one `s`, and a weak reference `u`.
    fn object() -> Vec<u8> {
        let symbols = b"\x03\x00\x01\x00\x01w\x00\x00\x01\x01s\x00\x51\x02\x01u";
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
    fn what_is_defined_is_found_and_what_is_needed_is_not() {
        let object = object();
        assert!(defines(&object, "w") && defines(&object, "s"));
        assert!(!defines(&object, "u") && !defines(&object, "x"));
    }

    #[test]
    fn archives_are_walked_and_damage_is_survived() {
        let object = object();
        let mut archive = ARCHIVE_MAGIC.to_vec();
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
