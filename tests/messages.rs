//! Messages for packages that cannot be built: the line that failed, its meaning, and a hint. Each case is a small project that
//! needs something which the guest lacks.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Failed, Trial};
use pymode_tests::Pymode;
use serde::Deserialize;

/// The files of `messages/`.
const FILES: &[&str] = &[
    include_str!("messages/backend.toml"),
    include_str!("messages/compiler.toml"),
];

/// A package to build, and the expected message.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Arguments of its extension module in `setup.py`.
    #[serde(default)]
    extension: String,
    /// First lines of `setup.py`.
    #[serde(default)]
    before: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// `true` if the build succeeds.
    #[serde(default)]
    builds: bool,
    /// Expected parts of stderr.
    stderr: Vec<String>,
}

/// Maximum number of lines on stderr: the start of the build, the error, its cause, the number of further errors, the log, a hint.
const MOST_LINES: usize = 7;

const MODULE: &str = "#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *args) { return PyLong_FromLong(THE_ANSWER); }
static PyMethodDef methods[] = {{\"answer\", answer, METH_NOARGS, NULL}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, \"_c\", NULL, 0, methods};
PyMODINIT_FUNC PyInit__c(void) { return PyModule_Create(&module); }
";

const PYPROJECT: &str = "[build-system]
requires = [\"setuptools>=77\"]
build-backend = \"setuptools.build_meta\"
";

fn main() -> ExitCode {
    pymode_tests::run(|pymode| {
        let cases = cases().into_iter().map(|(name, case)| {
            let pymode = pymode.clone();
            Trial::test(format!("messages/{name}"), move || {
                check(&pymode, &name, &case)
            })
        });
        let (kept, alone) = (pymode.clone(), pymode.clone());
        cases
            .chain([
                Trial::test("messages/the_build_tree_is_kept", move || keep(&kept)),
                Trial::test("messages/no_network", move || no_network(&alone)),
            ])
            .collect()
    })
}

fn cases() -> BTreeMap<String, Case> {
    let parse = |text: &&str| toml::from_str::<BTreeMap<String, Case>>(text);
    let files = FILES
        .iter()
        .map(|text| parse(text).expect("the cases are TOML"));
    files.flatten().collect()
}

fn check(pymode: &Pymode, name: &str, case: &Case) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let project = scratch.path().join(name);
    write(name, case, &project)?;
    // A cached wheel is not built again and prints nothing; `--keep` always builds.
    let keep: &[&str] = if case.builds { &["--keep"] } else { &[] };
    let built = build(pymode, &project, &scratch.path().join("out"), keep)?;
    if let Some(tree) = built.tree() {
        fs::remove_dir_all(tree)?;
    }
    let mut wrong: Vec<String> = case
        .stderr
        .iter()
        .filter(|wanted| !built.stderr.contains(*wanted))
        .map(|wanted| format!("`{wanted}` is missing"))
        .collect();
    if built.well != case.builds {
        wrong.push(format!("unexpected build result: {}", case.builds));
    }
    // The first installation of a backend prints its progress.
    let lines = built
        .stderr
        .lines()
        .filter(|line| !line.starts_with("installing "));
    if lines.count() > MOST_LINES {
        wrong.push(format!("more than {MOST_LINES} lines"));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("{}\n{}", wrong.join("\n"), built.stderr).into()),
    }
}

/// `--keep`: the tree is in the printed place, also after a failed build.
fn keep(pymode: &Pymode) -> Result<(), Failed> {
    let case = &cases()["processes"];
    let scratch = tempfile::tempdir()?;
    let project = scratch.path().join("kept");
    write("kept", case, &project)?;
    let built = build(pymode, &project, &scratch.path().join("out"), &["--keep"])?;
    let line = built
        .stderr
        .lines()
        .find_map(|line| line.trim().strip_prefix("build tree: "));
    let tree = line.ok_or_else(|| format!("no tree in the output:\n{}", built.stderr))?;
    if !Path::new(tree).join("source/_c.c").is_file() {
        return Err(format!("`{tree}` has no source").into());
    }
    fs::remove_dir_all(tree)?;
    Ok(())
}

/// Without a network, cached packages are built, and others fail with a short message.
fn no_network(pymode: &Pymode) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let ask = |spec: &str| {
        let mut command = pymode.command();
        for name in ["http_proxy", "https_proxy", "all_proxy"] {
            // An unused port.
            command.env(name, "http://127.0.0.1:9");
            command.env(name.to_uppercase(), "http://127.0.0.1:9");
        }
        command
            .env("UV_HTTP_RETRIES", "0")
            .args(["ext", "build", "--keep", "-o"])
            .arg(scratch.path())
            .arg(spec)
            .output()
    };
    let first = pymode
        .command()
        .args(["ext", "build", "-o"])
        .arg(scratch.path())
        .arg("markupsafe")
        .output()?;
    let again = ask("markupsafe")?;
    if !first.status.success() || !again.status.success() {
        return Err(String::from_utf8_lossy(&again.stderr).into_owned().into());
    }
    let refused = ask("pymode-there-is-no-such-project==1.0")?;
    let output = String::from_utf8_lossy(&refused.stderr).into_owned();
    let wanted = [
        "cannot resolve pymode-there-is-no-such-project==1.0",
        "hint: check the network",
    ];
    if refused.status.success()
        || output.lines().count() > 4
        || wanted.iter().any(|wanted| !output.contains(wanted))
    {
        return Err(output.into());
    }
    Ok(())
}

fn write(name: &str, case: &Case, project: &Path) -> Result<(), Failed> {
    fs::create_dir(project)?;
    let setup = format!(
        "{}\nfrom setuptools import Extension, setup
setup(name='{name}', version='1', py_modules=[], ext_modules=[Extension('_c', ['_c.c'], include_dirs=['.'], {})])\n",
        case.before, case.extension
    );
    fs::write(project.join("setup.py"), setup)?;
    fs::write(project.join("pyproject.toml"), PYPROJECT)?;
    fs::write(
        project.join("_c.c"),
        format!("#include \"part.h\"\n{MODULE}"),
    )?;
    for (file, text) in &case.files {
        fs::write(project.join(file), text)?;
    }
    Ok(())
}

struct Built {
    well: bool,
    stderr: String,
}

impl Built {
    /// The build tree that was kept: the first line of a build names it.
    fn tree(&self) -> Option<&str> {
        let first = self
            .stderr
            .lines()
            .find(|line| line.starts_with("building "))?;
        first.split_once(" in `")?.1.strip_suffix('`')
    }
}

fn build(pymode: &Pymode, project: &Path, out: &Path, more: &[&str]) -> Result<Built, Failed> {
    let output = pymode
        .command()
        .args(["ext", "build", "-o"])
        .arg(out)
        .args(more)
        .arg(format!("{}/", project.display()))
        .output()?;
    Ok(Built {
        well: output.status.success(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
