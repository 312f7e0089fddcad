//! The built files against the contract. The first run on a machine builds Python.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use pymode_abi::{EXT_SUFFIX, check};
use pymode_host::image::{Image, NodeId};
use pymode_python::{Built, Options, build};
use pymode_toolchain::{Cache, Reporter};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const DYNLOAD: &str = "lib/python3.13/lib-dynload";

fn built() -> Result<Built> {
    Ok(build(
        &Cache::open()?,
        &Reporter::stderr(),
        Options::default(),
    )?)
}

fn image(built: &Built) -> Result<Image<Vec<u8>>> {
    Ok(Image::open(fs::read(&built.image)?)?)
}

fn bytes<'i>(image: &'i Image<Vec<u8>>, path: &str) -> Result<&'i [u8]> {
    let node = image
        .find(path)
        .ok_or_else(|| format!("`{path}` is not in the image"))?;
    Ok(image
        .bytes(node)
        .ok_or_else(|| format!("`{path}` is a directory"))?)
}

fn files(image: &Image<Vec<u8>>, node: NodeId, path: &str, found: &mut Vec<String>) {
    for child in image.index().children(node) {
        let path = format!("{path}/{}", String::from_utf8_lossy(child.name));
        if image.bytes(child.node).is_some() {
            found.push(path);
        } else {
            files(image, child.node, &path, found);
        }
    }
}

#[test]
fn python_keeps_the_contract() -> Result {
    let faults = check::main(&fs::read(built()?.wasm)?);
    assert!(faults.is_empty(), "{faults:#?}");
    Ok(())
}

#[test]
fn each_side_module_of_the_library_keeps_the_contract() -> Result {
    let image = image(&built()?)?;
    let directory = image.find(DYNLOAD).ok_or("there are no side modules")?;
    let mut count = 0;
    for child in image.index().children(directory) {
        let name = String::from_utf8_lossy(child.name);
        let module = name
            .strip_suffix(EXT_SUFFIX)
            .ok_or("a module without the suffix of the contract")?;
        let wasm = image.bytes(child.node).ok_or("a directory")?;
        let faults = check::side(wasm, &[]);
        assert!(faults.is_empty(), "{name}: {faults:#?}");
        assert!(
            exports(wasm)?.contains(&format!("PyInit_{module}")),
            "{name}"
        );
        count += 1;
    }
    assert!(count >= 12, "only {count} side modules");
    Ok(())
}

fn exports(wasm: &[u8]) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        if let wasmparser::Payload::ExportSection(section) = payload? {
            for export in section {
                names.insert(export?.name.to_owned());
            }
        }
    }
    Ok(names)
}

#[test]
fn the_interpreter_is_small_enough_to_be_deployed() -> Result {
    let length = fs::metadata(built()?.wasm)?.len();
    assert!(length <= 5_700_000, "python.wasm has {length} bytes");
    Ok(())
}

#[test]
fn the_image_has_the_library_and_nothing_of_its_tests() -> Result {
    let image = image(&built()?)?;
    let mut found = Vec::new();
    files(&image, image.find("").ok_or("no root")?, "", &mut found);
    for name in [
        "os",
        "json/decoder",
        "encodings/idna",
        "sqlite3/dbapi2",
        "_sysconfigdata__wasi_wasm32-wasi",
    ] {
        assert!(
            found.contains(&format!("/lib/python3.13/{name}.pyc")),
            "{name}"
        );
    }
    for word in ["/test/", "/tests/", "idlelib", "tkinter", ".py\n"] {
        assert!(
            !found.iter().any(|path| format!("{path}\n").contains(word)),
            "{word}"
        );
    }
    Ok(())
}

#[test]
fn code_is_never_compared_with_its_source_and_names_it_for_tracebacks() -> Result {
    let image = image(&built()?)?;
    let code = bytes(&image, "lib/python3.13/json/decoder.pyc")?;
    // PEP 552: hash-based, and not to be checked.
    assert_eq!(code.get(4..8), Some(&1_u32.to_le_bytes()[..]));
    let name = b"/lib/python3.13/json/decoder.py";
    assert!(code.windows(name.len()).any(|window| window == name));
    Ok(())
}

/// The docstring of a module, function by function, as the native Python reads it from compiled code.
fn docstrings(built: &Built, code: &[u8]) -> Result<String> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), code)?;
    let script = "import importlib.util as u, sys
spec = u.spec_from_file_location('m', loader=__import__('importlib.machinery').machinery.SourcelessFileLoader('m', sys.argv[1]))
m = u.module_from_spec(spec)
spec.loader.exec_module(m)
print(bool(m.__doc__), bool(m.dedent.__doc__), m.dedent('  x'))";
    let output = Command::new(&built.native)
        .args(["-I", "-c", script])
        .arg(file.path())
        .output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn docstrings_can_be_left_out() -> Result {
    let name = "lib/python3.13/textwrap.pyc";
    let whole = built()?;
    assert_eq!(
        docstrings(&whole, bytes(&image(&whole)?, name)?)?,
        "True True x\n"
    );
    let options = Options {
        docstrings: false,
        ..Options::default()
    };
    let stripped = build(&Cache::open()?, &Reporter::stderr(), options)?;
    assert_eq!(
        docstrings(&stripped, bytes(&image(&stripped)?, name)?)?,
        "False False x\n"
    );
    assert_eq!(whole.wasm, stripped.wasm);
    assert!(fs::metadata(&stripped.image)?.len() < fs::metadata(&whole.image)?.len());
    Ok(())
}

#[test]
fn sources_can_be_added_where_importlib_and_tracebacks_look_for_them() -> Result {
    let options = Options {
        sources: true,
        ..Options::default()
    };
    let image = image(&build(&Cache::open()?, &Reporter::stderr(), options)?)?;
    assert!(
        bytes(&image, "lib/python3.13/json/decoder.py")?
            .starts_with(b"\"\"\"Implementation of JSONDecoder")
    );
    let code = bytes(
        &image,
        "lib/python3.13/json/__pycache__/decoder.cpython-313.pyc",
    )?;
    assert_eq!(code.get(4..8), Some(&1_u32.to_le_bytes()[..]));
    assert!(image.find("lib/python3.13/json/decoder.pyc").is_none());
    Ok(())
}

#[test]
fn nothing_of_this_machine_is_shipped() -> Result {
    let built = built()?;
    let cache = Cache::open()?;
    let foreign = [
        cache.root().display().to_string(),
        env!("CARGO_MANIFEST_DIR").to_owned(),
    ];
    for path in [
        &built.wasm,
        &built.named_wasm,
        &built.image,
        &built.sysconfigdata,
    ] {
        let shipped = fs::read(path)?;
        for word in &foreign {
            let found = shipped
                .windows(word.len())
                .any(|window| window == word.as_bytes());
            assert!(!found, "`{word}` stands in `{}`", path.display());
        }
    }
    Ok(())
}

#[test]
fn sysconfig_tells_how_to_build_for_this_python() -> Result {
    let built = built()?;
    let directory = built.sysconfigdata.parent().unwrap_or(Path::new("."));
    let output = Command::new(&built.native)
        .args(["-c", "import sysconfig as s; print(*s.get_config_vars('EXT_SUFFIX', 'SOABI', 'CC', 'SIZEOF_VOID_P', 'LIBDIR'), sep='\\n')"])
        .env("PYTHONPATH", directory)
        .env("_PYTHON_SYSCONFIGDATA_NAME", "_sysconfigdata__wasi_wasm32-wasi")
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    let soabi = EXT_SUFFIX.trim_start_matches('.').trim_end_matches(".wasm");
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [EXT_SUFFIX, soabi, "pymode cc", "4", "/lib"]
    );
    Ok(())
}

#[test]
fn the_native_python_can_read_wheels() -> Result {
    let output = Command::new(built()?.native)
        .args(["-I", "-c", "import zlib, zipfile, hashlib, sysconfig, venv"])
        .output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[test]
fn a_second_build_finds_everything() -> Result {
    let first = built()?;
    let start = std::time::Instant::now();
    let second = built()?;
    assert_eq!(first.wasm, second.wasm);
    assert_eq!(first.image, second.image);
    assert!(
        start.elapsed().as_secs() < 1,
        "it took {:?}",
        start.elapsed()
    );
    Ok(())
}
