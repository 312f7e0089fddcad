//! libpython for WASI, by CPython's own Makefile, and the libraries of its modules.

use std::path::PathBuf;

use pymode_toolchain::Key;
use pymode_toolchain::cc::flags::TARGET;
use pymode_toolchain::crates::CrateSources;

use crate::configured::Configured;
use crate::context::BuildContext;
use crate::error::Error;
use crate::files::{copy, copy_tree, write};
use crate::libraries::{self, LibrarySources};
use crate::modules::{LINKED, setup_local};
use crate::recipe::Recipe;
use crate::runtime;
use crate::source::PythonSource;

/// File name of the module with the data of `sysconfig`. CPython derives it from the platform's name.
pub(crate) const SYSCONFIGDATA: &str = "_sysconfigdata__wasi_wasm32-wasi.py";

/// Against `-O2` for the hot parts and `-Os` elsewhere: 3 % more compressed bytes, no list to keep: `bench/results`.
const OPTIMISE: &str = "OPT=-DNDEBUG -O2";

const LIBRARY_FLAGS: &[&str] = &[
    "-target",
    TARGET,
    "-std=gnu11",
    "-O2",
    "-g0",
    "-DNDEBUG",
    "-w",
];

const LIBPYTHON: &str = "libpython3.13.a";
/// A part of CPython that its Makefile keeps apart.
const LIBHACL: &str = "Modules/_hacl/libHacl_Hash_SHA2.a";
const LIBRARIES: &str = "libraries/liblibraries.a";

const ARCHIVES: [&str; 3] = [LIBPYTHON, LIBHACL, LIBRARIES];

/// The steps below.
const RECIPE: &str = include_str!("interpreter.rs");

/// The compiled interpreter, before it is linked.
///
/// | path | content |
/// |---|---|
/// | `lib/` | the archives |
/// | `include/` | `Python.h` and all that it includes, our headers too, without the host's functions |
/// | `sysconfigdata/` | the data of `sysconfig`, as CPython's Makefile wrote it |
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    pub(crate) key: Key,
    pub(crate) dir: PathBuf,
}

impl Interpreter {
    pub(crate) fn archives(&self) -> [PathBuf; 3] {
        ARCHIVES.map(|archive| self.dir.join("lib").join(file_name(archive)))
    }

    /// The data of `sysconfig` as configure and make wrote it, with paths of this machine.
    pub(crate) fn sysconfigdata(&self) -> PathBuf {
        self.dir.join("sysconfigdata").join(SYSCONFIGDATA)
    }

    pub(crate) fn include(&self) -> PathBuf {
        self.dir.join("include")
    }
}

pub(crate) fn provision(
    context: &BuildContext<'_>,
    source: &PythonSource,
    crates: &CrateSources,
    configured: &Configured,
) -> Result<Interpreter, Error> {
    let modules = source.dir.join("Modules");
    let libraries = LINKED
        .iter()
        .map(|module| match module.library {
            Some(library) => libraries::sources(library, &modules, crates),
            None => Ok(LibrarySources::default()),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let flags: Vec<_> = libraries
        .iter()
        .map(|library| library.user_flags.clone())
        .collect();
    let setup = setup_local(&flags);
    let libraries = compile_libraries(context, &libraries);

    let key = Key::new("interpreter")
        .key("configured", &configured.key)
        .key("dynload", &runtime::dynload_key())
        .key("preempt", &runtime::preempt_key())
        .field("setup", &setup)
        .field("libraries", &libraries)
        .field("optimise", OPTIMISE)
        .field("recipe", RECIPE);
    let dir = context.cache.entry("python", &key, |dir| {
        let tree = dir.join("tree");
        configured.copy_to(&tree, source)?;
        let build = tree.join("build");
        write(&build.join("Modules/Setup.local"), &setup)?;
        runtime::write_dynload(&build)?;
        runtime::write_contract(&tree.join("include"))?;

        let preempt = runtime::write_preempt(&build)?;
        let mut python = context.make(&build);
        python
            .args(["-f", "Makefile", "-f"])
            .arg(&preempt)
            .arg(OPTIMISE)
            // configure ran elsewhere.
            .arg(format!("abs_builddir={}", build.display()))
            .args([LIBPYTHON, LIBHACL, "pybuilddir.txt"]);
        context.run("compiling the interpreter", "python-make", python)?;
        write(&build.join("libraries.mk"), &libraries)?;
        let mut make = context.make(&build);
        make.args(["-f", "libraries.mk"]);
        context.run(
            "compiling zlib, bzip2 and liblzma",
            "python-libraries",
            make,
        )?;

        for archive in ARCHIVES {
            copy(
                &build.join(archive),
                &dir.join("lib").join(file_name(archive)),
            )?;
        }
        copy_tree(&source.dir.join("Include"), &dir.join("include"))?;
        copy(&build.join("pyconfig.h"), &dir.join("include/pyconfig.h"))?;
        runtime::write_headers(&dir.join("include"))?;
        let found = build.join("build/lib.wasi-wasm32-3.13").join(SYSCONFIGDATA);
        copy(&found, &dir.join("sysconfigdata").join(SYSCONFIGDATA))?;
        std::fs::remove_dir_all(&tree).map_err(Error::io("delete", &tree))
    })?;
    Ok(Interpreter { key, dir })
}

/// The makefile of the libraries that the linked modules need.
fn compile_libraries(context: &BuildContext<'_>, libraries: &[LibrarySources]) -> String {
    let mut recipe = Recipe::default();
    let mut objects = Vec::new();
    for (module, library) in LINKED.iter().zip(libraries) {
        let flags = [
            LIBRARY_FLAGS
                .iter()
                .map(|flag| (*flag).to_owned())
                .collect(),
            library.flags.clone(),
        ]
        .concat();
        for source in &library.sources {
            let name = source
                .file_stem()
                .map(|stem| stem.to_string_lossy())
                .unwrap_or_default();
            let object = format!("libraries/{}/{name}.o", module.name);
            recipe.compile(&context.zig("cc"), &flags, source, &object);
            objects.push(object);
        }
    }
    recipe.rule(
        LIBRARIES,
        &objects,
        &format!("{} rcs $@ $^", context.zig("ar")),
    );
    recipe.text()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
