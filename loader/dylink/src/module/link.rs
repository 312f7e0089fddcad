//! Parses a main module's list of linked libraries: the custom section `pymode.link`.
//!
//! It is built as `dylink.0` is, and its libraries and its run-time path are subsections of `dylink.0`. Two more name what stands in
//! main for symbols of the libraries, because main's own addresses are numbers before any library has one.

use alloc::boxed::Box;
#[cfg(feature = "parse")]
use alloc::format;
use alloc::vec::Vec;

#[cfg(feature = "parse")]
use wasmparser::{BinaryReader, Dylink0SectionReader, Dylink0Subsection};

use super::FunctionId;
#[cfg(feature = "parse")]
use super::ModuleError;
#[cfg(feature = "parse")]
use super::{DataBase, Datum, ExportKind, ModuleInfo};

/// The name of the section.
#[cfg(feature = "parse")]
pub(super) const SECTION: &str = "pymode.link";

/// Placeholders in main for symbols of linked libraries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Substitutes {
    /// Functions that jump through the slot that main's element segments give to them: the slot is to hold the library's
    /// function, and is its address then. By the name of that function.
    pub stubs: Vec<(Box<str>, FunctionId)>,
    /// Data of main that begins as a library's: it is exported by the same name, so libraries find it there.
    pub copies: Vec<Copied>,
}

/// A datum that main has for a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The symbol.
    pub name: Box<str>,
    /// Number of bytes to copy.
    pub size: u32,
    /// Target address.
    pub address: u32,
}

/// Prefix of a stub's export, followed by the function's name.
#[cfg(feature = "parse")]
const STUB: &str = "plt.";

/// The section's content, before anything of it is checked.
#[cfg(feature = "parse")]
#[derive(Debug, Default)]
pub(super) struct Link<'a> {
    needed: Vec<&'a str>,
    runtime_path: Vec<&'a str>,
    stubs: Vec<&'a str>,
    copies: Vec<(&'a str, u32)>,
}

#[cfg(feature = "parse")]
impl<'a> Link<'a> {
    /// Reads the section's content. Subsections may repeat.
    pub(super) fn parse(data: &'a [u8], offset: u64) -> Result<Self, ModuleError> {
        const STUBS: u8 = 64;
        const COPIES: u8 = 65;
        let mut link = Self::default();
        for subsection in Dylink0SectionReader::new(BinaryReader::new(data, offset)) {
            match subsection? {
                Dylink0Subsection::Needed(names) => link.needed.extend(names),
                Dylink0Subsection::RuntimePath(paths) => link.runtime_path.extend(paths),
                Dylink0Subsection::Unknown {
                    ty: ty @ (STUBS | COPIES),
                    data,
                    range,
                } => {
                    let mut reader = BinaryReader::new(data, range.start);
                    for _ in 0..reader.read_var_u32()? {
                        let name = reader.read_string()?;
                        if ty == STUBS {
                            link.stubs.push(name);
                        } else {
                            link.copies.push((name, reader.read_var_u32()?));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(link)
    }

    /// Adds it to what is known of main.
    pub(super) fn add_to(self, info: &mut ModuleInfo) -> Result<(), ModuleError> {
        let wrong = |name: &str, what: &str| ModuleError::Corrupt {
            at: 0,
            reason: format!("`{SECTION}` names `{name}`, {what}"),
        };
        for name in self.stubs {
            let export = info.exports.find(&format!("{STUB}{name}"));
            let stub = match export.map(|(_, export)| &export.kind) {
                Some(ExportKind::Function(stub)) if info.slot(*stub).is_some() => *stub,
                _ => return Err(wrong(name, "for which it has no stub in its table")),
            };
            info.substitutes.stubs.push((name.into(), stub));
        }
        for (name, size) in self.copies {
            let address = match info.exports.find(name).map(|(_, export)| &export.kind) {
                Some(ExportKind::Data(datum)) => datum.offset,
                _ => None,
            };
            let address = address.filter(|address| {
                let end = u64::from(*address) + u64::from(size);
                info.data.start <= *address && end <= u64::from(info.data.end)
            });
            let address =
                address.ok_or_else(|| wrong(name, "for which it has no room in its data"))?;
            info.substitutes.copies.push(Copied {
                name: name.into(),
                size,
                address,
            });
        }
        info.needed.extend(self.needed.into_iter().map(Box::from));
        let paths = self.runtime_path.into_iter().map(Box::from);
        info.runtime_path.extend(paths);
        Ok(())
    }
}

#[cfg(feature = "parse")]
impl ModuleInfo {
    /// Widens a main module's data by what is zero, and so in no segment, as far as it exports where its data begins and ends.
    pub(super) fn widen_data(&mut self) {
        let address = |name| match self.exports.find(name)?.1.kind {
            ExportKind::Data(Datum {
                base: DataBase::Absolute,
                offset,
            }) => offset,
            _ => None,
        };
        if let (Some(start), Some(end)) = (address("__global_base"), address("__data_end"))
            && start <= end
        {
            self.data = start..end;
        }
    }
}
