//! Projects that are built by the backends which most of PyPI uses, each from an sdist and with its real backend, and imported on both
//! engines. Those in C ask the guest while they are configured: a program of theirs runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flate2::Compression;
use flate2::write::GzEncoder;
use libtest_mimic::{Failed, Trial};
use pymode_tests::{Engine, Pymode};

/// The folders of `backends/`, and the module that each makes.
const PROJECTS: &[(&str, &str)] = &[
    ("meson", "by_meson"),
    ("cmake", "by_cmake"),
    ("maturin", "by_maturin"),
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
            .collect()
    })
}

fn import(pymode: &Pymode, engine: Engine, folder: &str, module: &str) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let sdist = sdist(folder, module, scratch.path())?;
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
    let stdout = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && stdout == "(4, 4, 4) True\n" {
        return Ok(());
    }
    Err(format!(
        "{}\n{stdout}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )
    .into())
}

/// The project as it would be published: the same bytes each time, so that it is built once.
fn sdist(folder: &str, module: &str, into: &Path) -> Result<PathBuf, Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("backends")
        .join(folder);
    let path = into.join(format!("{module}-1.0.tar.gz"));
    let mut archive = tar::Builder::new(GzEncoder::new(
        fs::File::create(&path)?,
        Compression::fast(),
    ));
    archive.mode(tar::HeaderMode::Deterministic);
    let mut files = Vec::new();
    list(&root, &mut files)?;
    files.sort();
    for file in files {
        let name = Path::new(&format!("{module}-1.0")).join(file.strip_prefix(&root)?);
        archive.append_path_with_name(&file, name)?;
    }
    archive.into_inner()?.finish()?;
    Ok(path)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failed> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
