//! Libraries for the linker's benchmarks.

use std::fmt::Write as _;

/// Prefixes of the libraries' functions.
pub(super) struct Names {
    /// Functions of main that are imported.
    pub(super) imported: &'static str,
    /// Functions that are exported.
    pub(super) exported: &'static str,
}

/// A library with these numbers of imports and exports, with data and a slot, that needs other libraries by number.
pub(super) fn library(
    names: &Names,
    imports: usize,
    exports: usize,
    needs: &[usize],
) -> Result<Vec<u8>, wat::Error> {
    let Names { imported, exported } = names;
    let mut needed = String::new();
    if !needs.is_empty() {
        let files: Vec<String> = needs.iter().map(|need| format!("\"{need}.so\"")).collect();
        needed = format!("(needed {}) (runtime-path \"$ORIGIN\")", files.join(" "));
    }
    let mut text = format!(
        r#"(module (@dylink.0 (mem-info (memory 64 4) (table 1 0)) {needed})
         (@custom "test.abi" "\07")
         (import "env" "memory" (memory 0)) (import "env" "__memory_base" (global $mb i32))
         (import "env" "__table_base" (global $tb i32))
         (import "env" "__indirect_function_table" (table 0 funcref))
"#
    );
    for at in 0..imports {
        let _ = writeln!(
            text,
            "(import \"env\" \"{imported}{at}\" (func ${imported}{at} (param i32) (result i32)))"
        );
    }
    let _ = write!(
        text,
        "(elem (global.get $tb) func $init) (func $init (export \"init\") (result i32) (call ${imported}0 (i32.const 7)))"
    );
    for at in 0..exports {
        let _ = writeln!(text, "(func (export \"{exported}{at}\"))");
    }
    text.push(')');
    wat::parse_str(text)
}
