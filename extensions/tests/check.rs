//! Side modules and wheels that would not load, and the reports of `pymode ext check` about them.

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use common::{Tested, compile, contains, is, side_module, tree};
use libtest_mimic::{Failed, Trial};
use pymode_ext::check;

fn main() -> ExitCode {
    common::main(vec![
        Trial::test("a_module_that_keeps_the_contract_is_well", well),
        Trial::test(
            "each_missing_symbol_is_listed_with_its_signature",
            missing_symbols,
        ),
        Trial::test("another_signature_is_not_a_missing_symbol", other_signature),
        Trial::test("a_module_without_its_init_function_is_named", no_init),
        Trial::test("another_version_of_the_abi_is_refused", other_version),
        Trial::test("what_is_no_side_module_is_said_so", no_side_module),
        Trial::test(
            "a_module_cut_short_is_a_fault_wherever_it_is_cut",
            cut_short,
        ),
        Trial::test("a_damaged_module_is_no_panic", damaged),
        Trial::test("a_needed_library_is_looked_for", needed),
        Trial::test(
            "a_library_that_is_not_needed_and_has_what_is_missing_is_named",
            not_needed,
        ),
        Trial::test("two_definitions_are_two_truths", duplicates),
        Trial::test("a_wheel_is_checked_member_by_member", wheel),
        Trial::test("a_file_that_is_not_there_is_an_error", no_file),
    ])
}

const WELL: &str = "#include <string.h>\nint PyInit_m(void) { return (int)strlen(\"abc\"); }";

/// All violations of a file, as one text.
fn violations(path: &Path) -> Result<String, Failed> {
    let reports = check(path).map_err(|e| e.to_string())?;
    Ok(reports
        .iter()
        .flat_map(|report| &report.violations)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n"))
}

fn well() -> Tested {
    let (_dir, path) = side_module("m.wasm", WELL)?;
    let violations = violations(&path)?;
    is(violations.is_empty(), &violations)?;
    let report = check(&path).map_err(|e| e.to_string())?.remove(0);
    is(
        report.is_valid() && report.to_string().ends_with("m.wasm: valid"),
        &report.to_string(),
    )
}

fn missing_symbols() -> Tested {
    let source = "
        int fork(void); double pymode_nowhere(int, long long, float); extern int pymode_no_data; void *PyNo_Such(void);
        int PyInit_m(void) {
            return fork() + (int)pymode_nowhere(1, 2, 3) + pymode_no_data + (PyNo_Such() != 0);
        }
    ";
    let (_dir, path) = side_module("m.wasm", source)?;
    let violations = violations(&path)?;
    contains(
        &violations,
        &[
            "`fork`, a function () -> i32",
            "processes are not supported on WASI",
            "`pymode_nowhere`, a function (i32 i64 f32) -> f64",
            "`pymode_no_data`",
            "`PyNo_Such`",
            "not in the C API of Python 3.13",
        ],
    )?;
    is(
        violations.matches("undefined symbol").count() == 4,
        &format!("four are listed:\n{violations}"),
    )
}

fn other_signature() -> Tested {
    let (_dir, path) = side_module(
        "m.wasm",
        "double strlen(int, int);\nint PyInit_m(void) { return (int)strlen(1, 2); }",
    )?;
    contains(
        &violations(&path)?,
        &["`strlen`", "(i32 i32) -> f64", "(i32) -> i32"],
    )
}

fn no_init() -> Tested {
    let (dir, path) = side_module("m.wasm", WELL)?;
    let renamed = dir.path().join("other.wasm");
    fs::rename(&path, &renamed)?;
    contains(
        &violations(&renamed)?,
        &[
            "exports `PyInit_m`",
            "missing export `PyInit_other`, which the file's name requires",
        ],
    )?;
    let (_dir, path) = side_module("m.wasm", "int f(void) { return 1; }")?;
    contains(&violations(&path)?, &["missing export `PyInit_m`", "hint:"])
}

fn other_version() -> Tested {
    let (_dir, path) = side_module("m.wasm", WELL)?;
    let mut bytes = fs::read(&path)?;
    let version = bytes.last_mut().ok_or("it is empty")?;
    *version = 99;
    fs::write(&path, &bytes)?;
    contains(&violations(&path)?, &["version 99", "version 1"])?;
    // Without the whole section: 14 bytes, of which the last is the version.
    fs::write(&path, &bytes[..bytes.len() - 14])?;
    contains(
        &violations(&path)?,
        &["no custom section `pymode.abi`", "hint:"],
    )
}

fn no_side_module() -> Tested {
    let dir = tree(&[
        ("m.c", "int main(void) { return 0; }"),
        ("text.wasm", "not wasm at all"),
    ])?;
    compile(dir.path(), "cc -O2 m.c -o m.wasm")?;
    contains(
        &violations(&dir.path().join("m.wasm"))?,
        &["not a side module", "hint:"],
    )?;
    contains(
        &violations(&dir.path().join("text.wasm"))?,
        &["not a valid WebAssembly module"],
    )
}

fn cut_short() -> Tested {
    let (_dir, path) = side_module("m.wasm", WELL)?;
    let bytes = fs::read(&path)?;
    for cut in 0..bytes.len() {
        fs::write(&path, &bytes[..cut])?;
        is(
            !violations(&path)?.is_empty(),
            &format!("cut at {cut} it is not valid"),
        )?;
    }
    Ok(())
}

fn damaged() -> Tested {
    let (_dir, path) = side_module("m.wasm", WELL)?;
    let bytes = fs::read(&path)?;
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut other = bytes.clone();
            other[at] ^= flip;
            fs::write(&path, &other)?;
            violations(&path)?;
        }
    }
    Ok(())
}

/// A directory with `m.wasm`, which needs `libs.so` in `m.libs/`.
fn with_library(library: &str) -> Result<tempfile::TempDir, Failed> {
    let dir = tree(&[
        ("s.c", library),
        (
            "m.c",
            "int from_library(void); int PyInit_m(void) { return from_library(); }",
        ),
        ("m.libs/.keep", ""),
    ])?;
    compile(dir.path(), "cc -O2 -shared s.c -o m.libs/libs.so")?;
    compile(
        dir.path(),
        "cc -O2 -shared m.c m.libs/libs.so -Wl,-rpath,$ORIGIN/m.libs -o m.wasm",
    )?;
    Ok(dir)
}

fn needed() -> Tested {
    let dir = with_library("int from_library(void) { return 1; }")?;
    let path = dir.path().join("m.wasm");
    let found = violations(&path)?;
    is(found.is_empty(), &found)?;
    fs::remove_file(dir.path().join("m.libs/libs.so"))?;
    contains(
        &violations(&path)?,
        &[
            "no such library: `libs.so`",
            "m.libs/libs.so`",
            "`from_library`",
        ],
    )
}

/// The same message as the linker's at run time: see `missing-on-disk` of the conformance cases.
fn not_needed() -> Tested {
    let module = "int from_library(void); int PyInit_m(void) { return from_library(); }";
    let dir = tree(&[
        ("s.c", "int from_library(void) { return 1; }"),
        ("other.c", "int from_library(int n) { return n; }"),
        ("m.c", module),
        ("p.libs/.keep", ""),
        ("p/.keep", ""),
    ])?;
    compile(dir.path(), "cc -O2 -shared other.c -o p/libother.so")?;
    compile(dir.path(), "cc -O2 -shared s.c -o p.libs/libs.so")?;
    compile(dir.path(), "cc -O2 -shared m.c -o p/m.wasm")?;
    let at = |path: &str| dir.path().join(path);
    // One of another type, and one in a directory that is not searched.
    let found = violations(&at("p/m.wasm"))?;
    is(!found.contains("defines it"), &found)?;

    fs::copy(at("p.libs/libs.so"), at("p/libs.so"))?;
    let folder = at("p").display().to_string();
    contains(
        &violations(&at("p/m.wasm"))?,
        &[
            "undefined symbol `from_library`",
            &format!(
                "\n`{folder}/libs.so` defines it, but `{folder}/m.wasm` does not name that library in NEEDED\n"
            ),
            &format!("hint: link `{folder}/m.wasm` with `-ls` and `-Wl,-rpath,$ORIGIN`"),
        ],
    )?;
    compile(
        dir.path(),
        "cc -O2 -shared m.c -Wl,-rpath,$ORIGIN/../p.libs -o p/m.wasm",
    )?;
    contains(
        &violations(&at("p/m.wasm"))?,
        &["p.libs/libs.so` defines it", "with `-ls`"],
    )?;

    let wheel = at("p-1.0-cp313-cp313-pymode_1_wasm32.whl");
    let (module, library) = (fs::read(at("p/m.wasm"))?, fs::read(at("p.libs/libs.so"))?);
    let members: &[(&str, &[u8])] = &[("p/m.wasm", &module), ("p.libs/libs.so", &library)];
    write_wheel(&wheel, members)?;
    contains(
        &violations(&wheel)?,
        &["`p.libs/libs.so` defines it, but `p/m.wasm` does not name that library in NEEDED"],
    )
}

fn duplicates() -> Tested {
    let dir = with_library(
        "int from_library(void) { return 1; }\nchar *strdup(const char *s) { return (char *)s; }",
    )?;
    contains(
        &violations(&dir.path().join("m.wasm"))?,
        &["`strdup` is defined by `libs.so` and by python.wasm"],
    )
}

/// A wheel of these members.
fn write_wheel(path: &Path, members: &[(&str, &[u8])]) -> Tested {
    let mut zip = zip::ZipWriter::new(fs::File::create(path)?);
    for (name, bytes) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())?;
        zip.write_all(bytes)?;
    }
    zip.finish()?;
    Ok(())
}

fn wheel() -> Tested {
    let (dir, path) = side_module(
        "m.wasm",
        "int fork(void); int PyInit_m(void) { return fork(); }",
    )?;
    let module = fs::read(&path)?;
    let wheel = dir.path().join("p-1.0-cp313-cp313-pymode_1_wasm32.whl");
    let record = b"p/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\np/gone.py,sha256=x,1\n";
    let members: &[(&str, &[u8])] = &[
        ("p/__init__.py", b""),
        ("p/m.wasm", &module),
        ("p-1.0.dist-info/RECORD", record),
    ];
    write_wheel(&wheel, members)?;
    contains(
        &violations(&wheel)?,
        &[
            "`p/gone.py`, which does not exist",
            "does not name `p/m.wasm`",
            "`fork`",
        ],
    )?;

    let other = dir.path().join("p-1.0-cp313-cp313-pymode_9_wasm32.whl");
    write_wheel(&other, members)?;
    contains(
        &violations(&other)?,
        &["`pymode_9_wasm32`", "another version of the ABI", "hint:"],
    )?;

    let bytes = fs::read(&wheel)?;
    fs::write(&wheel, &bytes[..bytes.len() / 2])?;
    let error = check(&wheel)
        .err()
        .ok_or("half a wheel is no wheel")?
        .to_string();
    contains(&error, &["could not read the wheel"])
}

fn no_file() -> Tested {
    let error = check(Path::new("no/such/file.wasm"))
        .err()
        .ok_or("it is not there")?
        .to_string();
    contains(&error, &["no/such/file.wasm"])
}
