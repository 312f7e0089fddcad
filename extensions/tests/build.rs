//! Real builds under the native Python, and the ways in which builds fail.

mod common;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use common::project::{PYPROJECT, SETUP, build_tree, builder, failed, spec, tiny, world};
use common::{Tested, contains, is, tree};
use libtest_mimic::{Failed, Trial};
use pymode_ext::Builder;

fn main() -> ExitCode {
    common::main(vec![
        Trial::test("markupsafe_is_built_by_its_own_backend", markupsafe),
        Trial::test("simplejson_is_importable_with_its_speedups", simplejson),
        Trial::test("a_source_tree_is_built_and_left_alone", source_tree),
        Trial::test("a_cxx_extension_is_built", cxx),
        Trial::test("vector_instructions_are_well", vectors),
        Trial::test("the_limited_api_gets_the_guests_names", abi3),
        Trial::test("a_library_that_is_missing_is_built", library),
        Trial::test("an_sdist_with_a_path_outside_is_refused", hostile_sdist),
        Trial::test("a_project_that_does_not_exist_is_said_so", no_such_project),
        Trial::test(
            "a_wheel_for_another_platform_is_refused_by_name",
            other_platform,
        ),
        Trial::test("requirements_come_along", requirements),
        Trial::test("tests_are_found_as_the_recipe_says", suite),
        Trial::test("tests_are_found_without_a_recipe", suite_of_a_stranger),
    ])
}

fn markupsafe() -> Tested {
    let wheel = builder()?
        .build(&spec("MarkupSafe==3.0.4")?)
        .map_err(failed)?;
    is(
        wheel.file() == "markupsafe-3.0.4-cp313-cp313-pymode_1_wasm32.whl",
        &wheel.file(),
    )?;
    let reports = pymode_ext::check(&wheel.path).map_err(failed)?;
    is(
        reports.len() == 2,
        "the wheel and one side module were looked at",
    )?;
    is(
        reports.iter().all(pymode_ext::check::Report::is_valid),
        &format!("{reports:#?}"),
    )?;

    // A builder whose compiler does not exist returns the wheel all the same: nothing is built again.
    let world = world()?;
    let idle = Builder::new(
        &world.cache,
        &world.reporter,
        world.target.clone(),
        Path::new("/no/such/compiler"),
    );
    is(
        idle.build(&spec("markupsafe")?).map_err(failed)?.path == wheel.path,
        "it came from the cache",
    )
}

fn simplejson() -> Tested {
    let site = builder()?
        .site(&[spec("simplejson")?, spec("markupsafe==3.0.4")?])
        .map_err(failed)?;
    is(
        site.len() == 2,
        &format!("two packages, nothing else: {site:?}"),
    )?;
    let has = |file: &str| site.iter().any(|dir| dir.join(file).is_file());
    is(
        has(&format!("simplejson/_speedups{}", pymode_abi::EXT_SUFFIX)),
        "the side module is there",
    )?;
    is(
        has("simplejson/__pycache__/decoder.cpython-313.pyc"),
        "bytecode is there",
    )?;
    let path = site
        .iter()
        .map(|dir| dir.join("simplejson/__pycache__/decoder.cpython-313.pyc"))
        .find(|path| path.is_file());
    let pyc = fs::read(path.ok_or("no bytecode")?)?;
    // PEP 552: bit 0 marks a pyc as keyed by hash, bit 1 as to be compared with its source.
    is(
        pyc[4..8] == [1, 0, 0, 0],
        "it is not compared with its source",
    )
}

fn source_tree() -> Tested {
    // `long` has 32 bits in the guest: this machine's pyconfig.h would not compile.
    let dir = tiny(
        "_Static_assert(SIZEOF_LONG == 4, \"the guest's pyconfig.h\");",
        "return PyLong_FromLong(42);",
    )?;
    let before = names(dir.path())?;
    let wheel = build_tree(&dir)?.map_err(failed)?;
    is(
        wheel.file() == "tiny-1.0-cp313-cp313-pymode_1_wasm32.whl",
        &wheel.file(),
    )?;
    is(names(dir.path())? == before, "nothing was left in the tree")?;
    let again = build_tree(&dir)?.map_err(failed)?;
    is(again.path == wheel.path, "unchanged it is the same")?;
    fs::write(dir.path().join("tiny/__init__.py"), "x = 1")?;
    is(
        build_tree(&dir)?.map_err(failed)?.path != wheel.path,
        "changed it is another",
    )
}

fn vectors() -> Tested {
    let dir = tiny(
        "typedef int four __attribute__((vector_size(16)));
        __attribute__((target(\"simd128\"), noinline)) static int sum(four *a) { four b = *a * *a; return b[0] + b[1] + b[2] + b[3]; }",
        "four a = {1, 2, 3, (int)(size_t)args}; return PyLong_FromLong(sum(&a));",
    )?;
    let wheel = build_tree(&dir)?.map_err(failed)?;
    let modules = wheel.side_modules().map_err(|e| e.to_string())?;
    is(modules.len() == 1, "it is built, and checked")
}

fn names(dir: &Path) -> Result<Vec<String>, Failed> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn cxx() -> Tested {
    let dir = tree(&[
        ("setup.py", "from setuptools import Extension, setup\nsetup(name='plus', version='1', ext_modules=[Extension('plus', ['plus.cpp'], extra_compile_args=['-fno-exceptions'])])"),
        ("pyproject.toml", PYPROJECT),
        ("plus.cpp", "#include <Python.h>\n#include <string>\n#include <vector>
            static std::vector<std::string> all;
            static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, \"plus\"};
            PyMODINIT_FUNC PyInit_plus(void) { all.push_back(\"a\"); return PyModule_Create(&module); }"),
    ])?;
    let wheel = build_tree(&dir)?.map_err(failed)?;
    is(wheel.file().starts_with("plus-1-cp313"), &wheel.file())
}

fn library() -> Tested {
    // Found by its header, without a recipe: the first try fails and names the missing library.
    let answer =
        "z_stream stream = {0}; inflateInit(&stream); return PyLong_FromLong(inflate(&stream, 0));";
    let dir = tiny("#include <zlib.h>", answer)?;
    let setup = SETUP.replace("['tiny/_c.c'])", "['tiny/_c.c'], libraries=['z'])");
    fs::write(dir.path().join("setup.py"), setup)?;
    let wheel = build_tree(&dir)?.map_err(failed)?;
    let modules = wheel.side_modules().map_err(|e| e.to_string())?;
    let module = modules.values().next().ok_or("there is a module")?;
    let words = b"incorrect header check";
    is(
        module.windows(words.len()).any(|bytes| bytes == words),
        "zlib is linked into it",
    )
}

fn hostile_sdist() -> Tested {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("evil-1.0.tar.gz");
    let gz = flate2::write::GzEncoder::new(fs::File::create(&path)?, flate2::Compression::fast());
    let mut tar = tar::Builder::new(gz);
    for name in ["evil-1.0/pyproject.toml", "evil-1.0/../../escaped"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, &[][..])?;
    }
    tar.into_inner()?.finish()?;
    let error = builder()?
        .build(&spec(&path.to_string_lossy())?)
        .err()
        .ok_or("it is refused")?
        .to_string();
    contains(
        &error,
        &["unsafe archive", "evil-1.0/../../escaped", "`..`"],
    )?;

    let path = dir.path().join("empty-1.0.tar.gz");
    let gz = flate2::write::GzEncoder::new(fs::File::create(&path)?, flate2::Compression::fast());
    tar::Builder::new(gz).into_inner()?.finish()?;
    let error = builder()?
        .build(&spec(&path.to_string_lossy())?)
        .err()
        .ok_or("it is empty")?
        .to_string();
    contains(&error, &["not a source distribution"])
}

fn no_such_project() -> Tested {
    let error = builder()?
        .build(&spec("pymode-there-is-no-such-project==1.0")?)
        .err()
        .ok_or("there is none")?
        .to_string();
    contains(
        &error,
        &[
            "cannot resolve pymode-there-is-no-such-project==1.0",
            "not found",
        ],
    )
}

fn other_platform() -> Tested {
    let dir = tree(&[
        ("a-1.0-cp313-cp313-pymode_9_wasm32.whl", ""),
        ("b-1-cp313-cp313-win_amd64.whl", ""),
    ])?;
    for (file, why) in [
        (
            "a-1.0-cp313-cp313-pymode_9_wasm32.whl",
            "another version of the ABI",
        ),
        ("b-1-cp313-cp313-win_amd64.whl", "win_amd64"),
    ] {
        let path = dir.path().join(file);
        let error = builder()?
            .build(&spec(&path.to_string_lossy())?)
            .err()
            .ok_or("it is refused")?
            .to_string();
        contains(&error, &[file, why])?;
    }
    Ok(())
}

fn requirements() -> Tested {
    let dir = tree(&[
        ("pyproject.toml", "[build-system]\nrequires = ['setuptools>=77']\nbuild-backend = 'setuptools.build_meta'\n
            [project]\nname = 'wants'\nversion = '1'\ndependencies = ['iniconfig==2.1.0', 'colorama; sys_platform == \"win32\"']\n
            [project.optional-dependencies]\nmore = ['pluggy']\n[tool.setuptools]\npy-modules = ['wants']"),
        ("wants.py", "import iniconfig"),
    ])?;
    let site = builder()?
        .site(&[spec(&format!("{}/", dir.path().display()))?])
        .map_err(failed)?;
    let has = |file: &str| site.iter().any(|dir| dir.join(file).exists());
    is(
        has("wants.py") && has("iniconfig/__init__.py"),
        &format!("{site:?}"),
    )?;
    is(
        site.len() == 2,
        &format!("nothing for other systems, no extras: {site:?}"),
    )
}

fn suite() -> Tested {
    let suite = builder()?.suite(&spec("markupsafe")?).map_err(failed)?;
    is(
        suite.dir.join("tests/test_markupsafe.py").is_file(),
        "the sdist's tests are there",
    )?;
    is(!suite.dir.join("src").exists(), "and nothing else of it")?;
    is(
        suite
            .site
            .iter()
            .any(|dir| dir.join("pytest/__init__.py").is_file()),
        "what they require is there",
    )?;
    is(
        suite.args(&[], None).first().is_some_and(|arg| arg == "-B"),
        "they write no bytecode",
    )?;
    is(
        suite.modules == ["markupsafe._speedups"],
        "what must be active is named",
    )?;
    let error = builder()?
        .suite(&spec("iniconfig==2.1.0")?)
        .err()
        .ok_or("it has no recipe")?
        .to_string();
    contains(&error, &["`iniconfig`", "hint: add a `[test]` table"])
}

fn suite_of_a_stranger() -> Tested {
    let dir = tiny("", "return PyLong_FromLong(42);")?;
    fs::create_dir(dir.path().join("tests"))?;
    fs::write(
        dir.path().join("tests/test_answer.py"),
        "import unittest, tiny._c\nclass Test(unittest.TestCase):\n    def test_answer(self):\n        self.assertEqual(tiny._c.answer(), 42)\n",
    )?;
    let suite = builder()?
        .suite(&spec(&format!("{}/", dir.path().display()))?)
        .map_err(failed)?;
    is(
        suite.dir.join("tests/test_answer.py").is_file() && !suite.dir.join("tiny").exists(),
        "the tests are there, and nothing that would hide what was built",
    )?;
    let args = suite.args(&[], None);
    is(
        args.ends_with(&["-m", "unittest", "discover", "-s", "tests"].map(String::from)),
        &format!("{args:?}"),
    )?;
    is(suite.modules == ["tiny._c"], "its C module must be active")
}

fn abi3() -> Tested {
    let dir = tiny("", "return PyLong_FromLong(42);")?;
    fs::write(
        dir.path().join("setup.py"),
        SETUP.replace("['tiny/_c.c'])", "['tiny/_c.c'], define_macros=[('Py_LIMITED_API', '0x030d0000')], py_limited_api=True)")
            .replace("name='tiny',", "name='tiny', options={'bdist_wheel': {'py_limited_api': 'cp313'}},"),
    )?;
    let wheel = build_tree(&dir)?.map_err(failed)?;
    is(
        wheel.file() == "tiny-1.0-cp313-cp313-pymode_1_wasm32.whl",
        &wheel.file(),
    )?;
    let modules = wheel.side_modules().map_err(|e| e.to_string())?;
    let names: Vec<&String> = modules.keys().collect();
    is(
        names == [&format!("tiny/_c{}", pymode_abi::EXT_SUFFIX)],
        &format!("{names:?}"),
    )?;
    let faults = wheel.record_violations().map_err(|e| e.to_string())?;
    is(
        faults.is_empty(),
        &format!("RECORD was written anew: {faults:?}"),
    )
}
