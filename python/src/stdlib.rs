//! The image of the standard library, which is mounted at `/` in the guest.
//!
//! | path | content |
//! |---|---|
//! | `/lib/python3.13/os.pyc` | a module, without its source |
//! | `/lib/python3.13/lib-dynload/zlib.cpython-….wasm` | a C module |
//! | `/lib/libc++.wasm` | the C++ library that all C++ modules share |
//! | `/lib/python3.13/_sysconfigdata_….pyc` | what `sysconfig` says |
//! | `/usr/share/zoneinfo/Europe/Berlin` | a time zone |
//!
//! With [`Options::sources`] each module is there twice, `os.py` and `__pycache__/os.cpython-313.pyc`.
//!
//! Each `.pyc` has an unchecked hash, so importlib never compares it with a source. Its code names `/lib/python3.13/os.py`
//! as its file. A traceback shows that path and the line's number, and the line itself if the sources are in the image.
//!
//! [`Options::sources`]: crate::Options::sources

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

use pymode_abi::EXT_SUFFIX;
use pymode_host::image::ImageWriter;
use pymode_toolchain::{Key, libcxx};

use crate::context::BuildContext;
use crate::error::Error;
use crate::files::{make_directory, read, walk, write};
use crate::interpreter::{Interpreter, SYSCONFIGDATA};
use crate::native::NativePython;
use crate::side::SideModules;
use crate::source::PythonSource;
use crate::tzdata::{self, TimeZones};
use crate::{Options, SOURCES};

const COMPILE: &str = include_str!("../helpers/compile_stdlib.py");
const CORRECT: &str = include_str!("../helpers/sysconfigdata.py");

/// Modules of our own, and their texts.
const OURS: &[(&str, &str)] = &[
    ("_absent.py", include_str!("../library/_absent.py")),
    (
        "sitecustomize.py",
        include_str!("../library/sitecustomize.py"),
    ),
];

/// Directory of the library in the image, and so in the guest.
const LIBRARY: &str = "lib/python3.13";

/// Files and directories below `Lib/` that are left out.
const LEFT_OUT: &[&str] = &[
    // An example of a frozen package.
    "__phello__",
    // pip is not run in the guest.
    "ensurepip",
    // These want a screen.
    "idlelib",
    "tkinter",
    "turtle.py",
    "turtledemo",
    // CPython's own tests: two thirds of the library.
    "test",
];

/// The built image and the data of `sysconfig`.
#[derive(Clone, Debug)]
pub(crate) struct StandardLibrary {
    dir: PathBuf,
}

impl StandardLibrary {
    pub(crate) fn image(&self) -> PathBuf {
        self.dir.join("stdlib.img")
    }

    pub(crate) fn sysconfigdata(&self) -> PathBuf {
        self.dir.join(SYSCONFIGDATA)
    }
}

/// Inputs of the image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inputs<'a> {
    pub(crate) source: &'a PythonSource,
    pub(crate) native: &'a NativePython,
    pub(crate) interpreter: &'a Interpreter,
    pub(crate) side: &'a SideModules,
    pub(crate) zones: &'a TimeZones,
}

pub(crate) fn provision(
    context: &BuildContext<'_>,
    inputs: Inputs<'_>,
    options: Options,
) -> Result<StandardLibrary, Error> {
    let key = Key::new("stdlib")
        .key("interpreter", &inputs.interpreter.key)
        .key("side", &inputs.side.key)
        .key("libcxx", &libcxx::key())
        .key("zones", &inputs.zones.key)
        .field("options", format!("{options:?}"))
        .field("format", pymode_host::image::VERSION.to_string())
        .field("sources", SOURCES);
    let dir = context.cache.entry("python", &key, |dir| {
        write_into(context, inputs, options, dir)
    })?;
    Ok(StandardLibrary { dir })
}

/// Writes the image and the data of `sysconfig` into a directory.
pub(crate) fn write_into(
    context: &BuildContext<'_>,
    inputs: Inputs<'_>,
    options: Options,
    dir: &Path,
) -> Result<(), Error> {
    let Inputs {
        source,
        native,
        interpreter,
        side,
        zones,
    } = inputs;
    correct_sysconfigdata(context, native, interpreter, dir)?;
    let ours = dir.join("ours");
    let modules = modules(&source.dir.join("Lib"), &dir.join(SYSCONFIGDATA), &ours)?;
    let compiled = dir.join("compiled");
    compile(context, native, &modules, &compiled, options)?;

    let mut image = ImageWriter::new();
    image.directory("tmp")?;
    for module in &modules {
        let name = module.name.to_string_lossy();
        let code = read(&compiled.join(module.compiled()))?;
        if options.sources {
            image.file(&format!("{LIBRARY}/{}", module.cached()), code)?;
            image.file(&format!("{LIBRARY}/{name}"), read(&module.source)?)?;
        } else {
            image.file(&format!("{LIBRARY}/{name}c"), code)?;
        }
    }
    for (name, path) in side.files() {
        image.file(&format!("{LIBRARY}/lib-dynload/{name}"), read(&path)?)?;
    }
    for (name, zone) in zones.zones()? {
        image.file(&format!("{}/{}", tzdata::DIRECTORY, name.display()), zone)?;
    }
    let cxx = libcxx::provision(context.cache, context.reporter, &context.zig)?;
    image.file(&format!("lib/{}", libcxx::MODULE), read(&cxx.module())?)?;
    let path = dir.join("stdlib.img");
    let mut file = File::create(&path).map_err(Error::io("create", &path))?;
    image.write_to(&mut file)?;
    [compiled, ours]
        .iter()
        .try_for_each(|dir| std::fs::remove_dir_all(dir).map_err(Error::io("delete", dir)))
}

/// One Python file of the library.
#[derive(Debug)]
struct Module {
    /// Below the library, such as `json/decoder.py`.
    name: PathBuf,
    source: PathBuf,
}

impl Module {
    fn compiled(&self) -> PathBuf {
        self.name.with_extension("pyc")
    }

    /// Path at which importlib looks for its code if the image has its source too.
    fn cached(&self) -> String {
        let stem = self.name.file_stem().unwrap_or_default().to_string_lossy();
        let parent = self.name.parent().filter(|parent| *parent != Path::new(""));
        let prefix = parent
            .map(|parent| format!("{}/", parent.display()))
            .unwrap_or_default();
        format!("{prefix}__pycache__/{stem}.cpython-313.pyc")
    }
}

/// All modules of the library. The texts of ours are written into the directory `ours`.
fn modules(lib: &Path, sysconfigdata: &Path, ours: &Path) -> Result<Vec<Module>, Error> {
    let mut modules: Vec<Module> = walk(lib)?
        .files
        .into_iter()
        .filter(|name| is_shipped(name))
        .map(|name| Module {
            source: lib.join(&name),
            name,
        })
        .collect();
    modules.push(Module {
        name: SYSCONFIGDATA.into(),
        source: sysconfigdata.to_path_buf(),
    });
    make_directory(ours)?;
    for (name, text) in OURS {
        let source = ours.join(name);
        write(&source, text)?;
        modules.push(Module {
            name: name.into(),
            source,
        });
    }
    Ok(modules)
}

fn is_shipped(name: &Path) -> bool {
    let first = name.components().next().map(|first| first.as_os_str());
    name.extension() == Some(OsStr::new("py"))
        && !LEFT_OUT
            .iter()
            .any(|left_out| first == Some(OsStr::new(left_out)))
        && !name.components().any(|part| part.as_os_str() == "tests")
}

/// The data of `sysconfig`, without anything of this machine.
fn correct_sysconfigdata(
    context: &BuildContext<'_>,
    native: &NativePython,
    interpreter: &Interpreter,
    dir: &Path,
) -> Result<(), Error> {
    let helper = dir.join("sysconfigdata-helper.py");
    write(&helper, CORRECT)?;
    let mut command = context.command(&native.exe);
    command
        .args(["-I", "-S"])
        .args([
            &helper,
            &interpreter.sysconfigdata(),
            &dir.join(SYSCONFIGDATA),
        ])
        .arg(EXT_SUFFIX)
        .args([
            context.cache.root(),
            Path::new("../src"),
            Path::new("../include"),
            Path::new("../config.site"),
        ])
        .args(["-target", "HOSTRUNNER", "--build="]);
    context.run("writing sysconfig's data", "python-sysconfig", command)?;
    std::fs::remove_file(&helper).map_err(Error::io("delete", &helper))
}

fn compile(
    context: &BuildContext<'_>,
    native: &NativePython,
    modules: &[Module],
    into: &Path,
    options: Options,
) -> Result<(), Error> {
    make_directory(into)?;
    let jobs: String = modules
        .iter()
        .map(|module| {
            format!(
                "{}\n{}\n/{LIBRARY}/{}\n",
                module.source.display(),
                into.join(module.compiled()).display(),
                module.name.display()
            )
        })
        .collect();
    write(&into.join("jobs"), jobs)?;
    let helper = into.join("helper.py");
    write(&helper, COMPILE)?;
    let mut command = context.command(&native.exe);
    command
        .args(["-I", "-S"])
        .arg(helper)
        .arg(into.join("jobs"));
    if !options.docstrings {
        command.arg("--no-docstrings");
    }
    context.run("compiling the standard library", "python-stdlib", command)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Module, is_shipped};

    #[test]
    fn the_library_is_shipped_without_tests_and_without_what_needs_a_screen() {
        for name in [
            "os.py",
            "json/decoder.py",
            "encodings/idna.py",
            "unittest/__init__.py",
        ] {
            assert!(is_shipped(Path::new(name)), "{name}");
        }
        for name in [
            "test/test_os.py",
            "tkinter/__init__.py",
            "ctypes/tests/x.py",
            "turtle.py",
            "ctypes/macholib/README",
        ] {
            assert!(!is_shipped(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn cached_code_has_the_name_that_importlib_looks_for() {
        let cached = |name: &str| {
            Module {
                name: name.into(),
                source: PathBuf::new(),
            }
            .cached()
        };
        assert_eq!(cached("os.py"), "__pycache__/os.cpython-313.pyc");
        assert_eq!(
            cached("json/decoder.py"),
            "json/__pycache__/decoder.cpython-313.pyc"
        );
    }
}
