//! Time of a wheel build with C code, against a native build of the same source by the same backend: `uv build`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pymode_toolchain::{CacheError, uv};

use super::{Bench, Outcome, finish};
use crate::pair::{Sample, measure};

/// A small package, so that the time is not the compiler's.
const PACKAGE: &str = "markupsafe";
/// Its one C source, below its source tree.
const C_SOURCE: &str = "src/markupsafe/_speedups.c";

pub(crate) fn build(bench: &Bench) -> Outcome {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out");
    let subject = |args: &[&str]| {
        let mut command = Command::new(&bench.pymode);
        command.args(["ext", "build", "-o"]).arg(&out).args(args);
        command
    };
    let kept = source(&mut subject(&["--keep", PACKAGE]))?;
    // Each build has its own tree: builds leave files that the next build would find.
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    copy(&kept, &ours)?;
    copy(&kept, &theirs)?;
    let uv = uv::provision(&bench.cache, &bench.reporter)?;
    let natively = || {
        for made in ["build", "dist"] {
            let _ = fs::remove_dir_all(theirs.join(made));
        }
        let mut command = uv.command();
        command.args(["build", "--quiet", "--wheel", "--python"]);
        command.arg(&bench.python.native).arg(&theirs);
        finish(&mut command)
    };

    let mut samples = Vec::new();
    let mut sample = |case: &str, subject: &str, pairs| {
        samples.push(Sample {
            case: case.into(),
            subject: subject.into(),
            baseline: "uv build, natively".into(),
            pairs,
        });
    };
    let mut unchanged = subject(&[PACKAGE]);
    let pairs = measure(bench.runs, || finish(&mut unchanged), natively)?;
    sample("build, markupsafe, unchanged", "pymode ext build", pairs);
    let mut again = subject(&["--keep", PACKAGE]);
    let pairs = measure(bench.runs, || finish(&mut again), natively)?;
    sample(
        "build, markupsafe, once more from its sdist",
        "pymode ext build --keep",
        pairs,
    );
    let mut run = 0;
    let pairs = measure(
        bench.runs,
        || {
            run += 1;
            touch(&ours, run)?;
            finish(&mut subject(&[&format!("{}/", ours.display())]))
        },
        || {
            touch(&theirs, 0)?;
            natively()
        },
    )?;
    sample(
        "build, markupsafe, its C source changed",
        "pymode ext build",
        pairs,
    );
    Ok(samples)
}

/// Builds, and returns the path of the source tree that was kept.
fn source(build: &mut Command) -> Result<PathBuf, String> {
    let output = build.output().map_err(|e| e.to_string())?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let tree = stderr
        .lines()
        .find_map(|line| line.split_once(" in `")?.1.strip_suffix('`'));
    let tree = tree.ok_or_else(|| format!("no build tree in the output:\n{stderr}"))?;
    let entries = fs::read_dir(Path::new(tree).join("source")).map_err(|e| e.to_string())?;
    let mut dirs = entries.filter_map(Result::ok).map(|entry| entry.path());
    dirs.next().ok_or_else(|| format!("`{tree}` is empty"))
}

/// Copies the sources without the files that a build has made.
fn copy(from: &Path, to: &Path) -> Result<(), CacheError> {
    fs::create_dir_all(to).map_err(CacheError::io("create", to))?;
    for entry in fs::read_dir(from).map_err(CacheError::io("read", from))? {
        let path = entry.map_err(CacheError::io("read", from))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() && !path.ends_with("build") {
            copy(&path, &target)?;
        } else if path.is_file() {
            fs::copy(&path, &target).map_err(CacheError::io("copy", &path))?;
        }
    }
    Ok(())
}

/// Changes the C source so that no compiler cache knows it, by adding the time.
fn touch(tree: &Path, run: usize) -> Result<(), String> {
    let path = tree.join(C_SOURCE);
    let text = fs::read_to_string(&path).map_err(|e| e.to_string())?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_nanos();
    let own = text
        .lines()
        .filter(|line| !line.starts_with("int pymode_bench_"));
    let own: String = own.map(|line| format!("{line}\n")).collect();
    fs::write(&path, format!("{own}int pymode_bench_{run}_{now};\n")).map_err(|e| e.to_string())
}
