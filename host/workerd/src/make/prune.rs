//! Removes unused exports from python.wasm.
//!
//! python.wasm exports the whole contract, for side modules that are not known yet. A bundle knows its side modules: other exports
//! are removed, with the code that only they used. An instance creates an object for each export when it starts.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pymode_abi::Why;
use pymode_dylink::{ImportKind, ModuleInfo};
use pymode_toolchain::CacheError;

use crate::make::pack::PackError;

/// Functions of main that the linker calls, besides [`Why::Runtime`].
const CALLED: [&str; 4] = ["__cxa_finalize", "aligned_alloc", "free", "malloc"];

/// Returns the names that side modules import from each other and from main.
///
/// # Errors
/// When one cannot be read, or is not a side module.
pub(crate) fn imported<'a>(
    sides: impl IntoIterator<Item = &'a Path>,
) -> Result<BTreeSet<String>, PackError> {
    let mut names: BTreeSet<String> = CALLED.map(str::to_owned).into();
    for side in sides {
        let bytes = fs::read(side).map_err(CacheError::io("read", side))?;
        let info = ModuleInfo::from_bytes(&bytes).map_err(|error| PackError::Side {
            path: side.into(),
            reason: error.to_string(),
        })?;
        let ours = info.imports.iter();
        names.extend(
            ours.filter(|import| import.kind != ImportKind::Host)
                .map(|import| import.name.to_string()),
        );
    }
    Ok(names)
}

/// Returns `main` without the exports of the contract that are not in `kept`, and without code that only they used.
pub(crate) fn exports(main: &[u8], kept: &BTreeSet<String>) -> Result<Vec<u8>, String> {
    let mut config = walrus::ModuleConfig::new();
    config
        .generate_name_section(false)
        .generate_producers_section(false);
    let mut module = config.parse(main).map_err(|error| format!("{error:#}"))?;
    let unused = |name: &str| {
        !kept.contains(name)
            && pymode_abi::export(name).is_some_and(|export| export.why != Why::Runtime)
    };
    let dropped: Vec<_> = module
        .exports
        .iter()
        .filter(|export| unused(&export.name))
        .map(|export| export.id())
        .collect();
    for export in dropped {
        module.exports.delete(export);
    }
    walrus::passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_imports_goes_with_all_that_only_it_needed() {
        let text = r#"(module
            (memory (export "memory") 1)
            (func $helper (result i32) (i32.const 7))
            (func (export "PyList_New") (param i32) (result i32) (call $helper))
            (func (export "PyDict_New") (result i32) (i32.const 1))
            (func (export "_start"))
            (func (export "malloc") (param i32) (result i32) (i32.const 8)))"#;
        let main = wat::parse_str(text).expect("the text is well-formed");
        let kept = ["malloc", "PyDict_New"].map(str::to_owned).into();
        let pruned = exports(&main, &kept).expect("it is a module");
        wasmparser::validate(&pruned).expect("it is valid");
        let info = ModuleInfo::main_from_bytes(&pruned).expect("it is a main module");
        let names: Vec<&str> = ["memory", "_start", "malloc", "PyDict_New", "PyList_New"]
            .into_iter()
            .filter(|name| info.exports.find(name).is_some())
            .collect();
        assert_eq!(names, ["memory", "_start", "malloc", "PyDict_New"]);
        assert!(pruned.len() < main.len());
    }
}
