//! What a user reads when a package cannot be built: one line that failed, what it means, what to do. Each case is a small project
//! that wants something which the guest has not.

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

/// A package that is built, and what is said of it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Arguments of its extension module in `setup.py`.
    #[serde(default)]
    extension: String,
    /// What `setup.py` does first.
    #[serde(default)]
    before: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Whether a wheel comes of it.
    #[serde(default)]
    builds: bool,
    /// What stands on stderr.
    said: Vec<String>,
}

/// The most lines on stderr: an error, what failed, how much more did, the log, a hint; and that a build began.
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
    // What is in the cache is not built again, and nothing said of it: kept, it is built.
    let keep: &[&str] = if case.builds { &["--keep"] } else { &[] };
    let built = build(pymode, &project, &scratch.path().join("out"), keep)?;
    if let Some(tree) = built.tree() {
        fs::remove_dir_all(tree)?;
    }
    let mut wrong: Vec<String> = case
        .said
        .iter()
        .filter(|wanted| !built.stderr.contains(*wanted))
        .map(|wanted| format!("`{wanted}` is not said"))
        .collect();
    if built.well != case.builds {
        wrong.push(format!("it is not so that it builds: {}", case.builds));
    }
    // Installing a backend is told while it takes its time, once.
    let lines = built
        .stderr
        .lines()
        .filter(|line| !line.starts_with("installing "));
    if lines.count() > MOST_LINES {
        wrong.push(format!("more than {MOST_LINES} lines are said"));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("{}\n{}", wrong.join("\n"), built.stderr).into()),
    }
}

/// `--keep`: the tree is where it is said to be, also of a build that fails.
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
    let tree = line.ok_or_else(|| format!("no tree is named:\n{}", built.stderr))?;
    if !Path::new(tree).join("source/_c.c").is_file() {
        return Err(format!("`{tree}` has no source").into());
    }
    fs::remove_dir_all(tree)?;
    Ok(())
}

/// Without a network what is in the cache is built, and what is not is told of in few words.
fn no_network(pymode: &Pymode) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let ask = |spec: &str| {
        let mut command = pymode.command();
        for name in ["http_proxy", "https_proxy", "all_proxy"] {
            // Nobody listens there.
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
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    let wanted = [
        "cannot resolve pymode-there-is-no-such-project==1.0",
        "hint: is there a network?",
    ];
    if refused.status.success()
        || said.lines().count() > 4
        || wanted.iter().any(|wanted| !said.contains(wanted))
    {
        return Err(said.into());
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
    /// The build tree that was kept: building begins with its name.
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
