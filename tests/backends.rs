//! Projects that use the most common build backends of PyPI, each built from an sdist with its real backend and imported on both
//! engines. Those in C run a test program in the guest during configuration. `libs` contains a shared library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Output};

use libtest_mimic::{Failed, Trial};
use pymode_tests::{Engine, Pymode, sdist};

/// The folders of `backends/`, and the module of each.
const PROJECTS: &[(&str, &str)] = &[
    ("meson", "by_meson"),
    ("cmake", "by_cmake"),
    ("maturin", "by_maturin"),
    ("mypyc", "by_mypyc"),
    ("mypyc-package", "by_package"),
    ("hatch", "by_hatch"),
];

fn main() -> ExitCode {
    pymode_tests::run(|pymode| {
        let trial = |&(folder, module): &'static (&str, &str), engine: Engine| {
            let pymode = pymode.clone();
            Trial::test(format!("{}/backends/{folder}", engine.0), move || {
                import(&pymode, engine, folder, module)
            })
        };
        PROJECTS
            .iter()
            .flat_map(|project| Engine::ALL.iter().map(move |&engine| (project, engine)))
            .map(|(project, engine)| trial(project, engine))
            .chain(Engine::ALL.iter().map(|&engine| {
                let pymode = pymode.clone();
                Trial::test(format!("{}/backends/libs", engine.0), move || {
                    libraries(&pymode, engine)
                })
            }))
            .collect()
    })
}

/// Two packages that each contain a shared library of the same name: each finds its own.
fn libraries(pymode: &Pymode, engine: Engine) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let mut sdists = Vec::new();
    for (name, answer) in [("one", 100), ("two", 200)] {
        let folder = scratch.path().join(name);
        copy(&backends().join("libs"), &folder)?;
        fs::create_dir(folder.join(name))?;
        fs::write(folder.join(name).join("__init__.py"), "")?;
        fs::write(folder.join("which.txt"), format!("{name} {answer}"))?;
        sdists.push(sdist(&folder, name, scratch.path())?);
    }
    let code = "
import one._c, two._c
print(one._c.answer(), two._c.answer(), one._c.answer(), two._c.answer())
import os
site = os.path.dirname(os.path.dirname(one._c.__file__))
print(os.listdir(site + '/one.libs'))";
    let output = pymode
        .command()
        .current_dir(scratch.path())
        .args(["run", "--engine", engine.0])
        .args(
            sdists
                .iter()
                .flat_map(|sdist| [Path::new("--with"), sdist.as_path()]),
        )
        .args(["-c", code])
        .output()?;
    // Each counts its own calls: neither code nor data is shared.
    require(&output, "100 200 101 201\n['libshared.so']\n")
}

fn require(output: &Output, wanted: &str) -> Result<(), Failed> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && stdout == wanted {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}\n{stdout}\n{stderr}", output.status).into())
}

fn backends() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("backends")
}

fn copy(from: &Path, to: &Path) -> Result<(), Failed> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        fs::copy(&path, to.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

fn import(pymode: &Pymode, engine: Engine, folder: &str, module: &str) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let sdist = sdist(&backends().join(folder), module, scratch.path())?;
    let code = format!(
        "import sys, {module}
files = [m.__file__ for name, m in sys.modules.items() if name.split('.')[-1] == '{module}']
print({module}.answer(), any(file.endswith('.wasm') for file in files))"
    );
    let output = pymode
        .command()
        .current_dir(scratch.path())
        .args(["run", "--engine", engine.0, "--with"])
        .arg(&sdist)
        .args(["-c", &code])
        .output()?;
    // All three are 8 on this machine.
    require(&output, "(4, 4, 4) True\n")
}
