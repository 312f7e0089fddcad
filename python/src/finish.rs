//! The last changes to a linked module before it is shipped.

use pymode_toolchain::cc::{abi_section, without_zeros};
use pymode_toolchain::sections::{Edit, SectionError, edit};
use wasm_encoder::{ExportKind, ExportSection, SectionId};
use wasmparser::{BinaryReader, ExportSectionReader, ExternalKind};

/// Prefix that the linker gives the name of an export that it wraps.
const WRAPPED: &str = "__wrap_";

/// Returns `true` for a custom section that no engine needs.
fn is_dropped(name: &str) -> bool {
    name == "name" || name == "producers" || name.starts_with(".debug_")
}

/// The module without the names of its functions and without zeros in its data, and with the version of the ABI.
///
/// The linker could strip the names as well; but then it strips `target_features` too, and the names are wanted beside
/// the module.
pub(crate) fn finish(module: &[u8]) -> Result<Vec<u8>, SectionError> {
    let out = edit(module, |section| {
        Ok(if section.name.is_some_and(is_dropped) {
            Edit::Remove
        } else if section.id == u8::from(SectionId::Export) {
            Edit::replace(&named_as_promised(section.content)?)
        } else {
            Edit::Keep
        })
    })?;
    let mut out = without_zeros(&out).unwrap_or(out);
    out.extend(abi_section(pymode_abi::VERSION));
    Ok(out)
}

/// The exports under the names that the contract has. The linker exports a wrapped function as `__wrap_NAME`, even with the option
/// to export `NAME`.
fn named_as_promised(exports: &[u8]) -> wasmparser::Result<ExportSection> {
    let mut section = ExportSection::new();
    for export in ExportSectionReader::new(BinaryReader::new(exports, 0))? {
        let export = export?;
        let kind = match export.kind {
            ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
            ExternalKind::Table => ExportKind::Table,
            ExternalKind::Memory => ExportKind::Memory,
            ExternalKind::Global => ExportKind::Global,
            ExternalKind::Tag => ExportKind::Tag,
        };
        let name = export.name.strip_prefix(WRAPPED).unwrap_or(export.name);
        section.export(name, kind, export.index);
    }
    Ok(section)
}

#[cfg(test)]
mod tests {
    use super::finish;

    const HEADER: &[u8] = b"\0asm\x01\0\0\0";

    fn custom(name: &str, body: &[u8]) -> Vec<u8> {
        let mut section = vec![0, (1 + name.len() + body.len()) as u8, name.len() as u8];
        section.extend(name.as_bytes());
        section.extend(body);
        section
    }

    #[test]
    fn names_go_and_the_version_comes() {
        let features = custom("target_features", &[0]);
        let module = [
            HEADER,
            &custom("name", &[]),
            &features,
            &custom(".debug_info", b"x"),
            &custom("producers", &[0]),
        ]
        .concat();
        let finished = finish(&module).expect("a module");
        assert_eq!(
            finished,
            [HEADER, &features, b"\0\x0c\x0apymode.abi\x01"].concat()
        );
    }

    #[test]
    fn a_wrapped_function_is_exported_under_its_own_name() {
        let exports = |name: &str| {
            let mut section = vec![7, 3 + name.len() as u8 + 1, 1, name.len() as u8];
            section.extend(name.as_bytes());
            section.extend([0, 0]);
            section
        };
        let finished = finish(&[HEADER, &exports("__wrap_PyObject_Hash")].concat());
        let finished = finished.expect("a module");
        assert!(finished.starts_with(&[HEADER, &exports("PyObject_Hash")].concat()));
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(finish(b"\0asm").is_err());
        assert!(finish(&[HEADER, &[0, 9, 1]].concat()).is_err());
    }
}
