//! The native Python: it freezes modules and compiles the standard library for the other one, and later runs the build
//! backends of packages.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::Key;
use pymode_toolchain::crates::CrateSources;

use crate::context::BuildContext;
use crate::error::Error;
use crate::files::{make_directory, write};
use crate::libraries;
use crate::recipe::Recipe;
use crate::source::PythonSource;

/// Not a place on this machine: Python finds its library from where its executable lies.
const PREFIX: &str = "python";

const ARGUMENTS: &[&str] = &["-q", "--disable-test-modules", "--without-ensurepip"];

const OPT: &str = "-DNDEBUG -O2";

/// The steps below.
const RECIPE: &str = include_str!("native.rs");

/// An installed native Python.
#[derive(Clone, Debug)]
pub(crate) struct NativePython {
    pub(crate) key: Key,
    pub(crate) exe: PathBuf,
}

pub(crate) fn provision(
    context: &BuildContext<'_>,
    source: &PythonSource,
    crates: &CrateSources,
) -> Result<NativePython, Error> {
    let key = Key::new("native")
        .key("source", &source.key)
        .field("arguments", ARGUMENTS.join(" "))
        .field("flags", OPT)
        .field("recipe", RECIPE);
    let dir = context.cache.entry("python", &key, |dir| {
        let build = dir.join("build");
        let zlib = compile_zlib(context, crates, dir)?;
        configure(context, source, &build, crates, &zlib)?;
        context.run(
            "compiling the native Python",
            "native-make",
            context.make(&build),
        )?;
        let mut install = context.make(&build);
        install
            .arg("install")
            .arg(format!("DESTDIR={}", dir.display()));
        context.run("installing the native Python", "native-install", install)?;
        fs::remove_dir_all(&build).map_err(Error::io("delete", &build))?;
        drop_static_library(dir)
    })?;
    Ok(NativePython {
        key,
        exe: dir.join(format!("{PREFIX}/bin/python3.13")),
    })
}

/// zlib is compiled in, because its headers may be missing here, and pip cannot read a wheel without it.
fn compile_zlib(
    context: &BuildContext<'_>,
    crates: &CrateSources,
    dir: &Path,
) -> Result<PathBuf, Error> {
    let library = libraries::zlib(crates);
    let mut flags = library.flags;
    flags.extend(["-O2", "-fPIC"].map(str::to_owned));
    let mut recipe = Recipe::default();
    let mut objects = Vec::new();
    for source in &library.sources {
        let name = source
            .file_stem()
            .map(|stem| stem.to_string_lossy())
            .unwrap_or_default();
        let object = format!("{name}.o");
        recipe.compile("cc", &flags, source, &object);
        objects.push(object);
    }
    recipe.rule("libz.a", &objects, "ar rcs $@ $^");
    let build = dir.join("build/zlib");
    write(&build.join("Makefile"), recipe.text())?;
    context.run(
        "compiling zlib for the native Python",
        "native-zlib",
        context.make(&build),
    )?;
    Ok(build.join("libz.a"))
}

fn configure(
    context: &BuildContext<'_>,
    source: &PythonSource,
    build: &Path,
    crates: &CrateSources,
    zlib: &Path,
) -> Result<(), Error> {
    let zlib_flags = libraries::zlib(crates).user_flags;
    make_directory(build)?;
    let mut command = context.command(source.dir.join("configure"));
    command
        .args(ARGUMENTS)
        .arg(format!("--prefix=/{PREFIX}"))
        .env("OPT", OPT)
        .env("ZLIB_CFLAGS", zlib_flags.join(" "))
        .env("ZLIB_LIBS", zlib)
        .current_dir(build);
    context.run("configuring the native Python", "native-configure", command)
}

/// The static library is installed twice, and nothing is ever linked with it: 80 MB.
fn drop_static_library(dir: &Path) -> Result<(), Error> {
    let lib = dir.join(format!("{PREFIX}/lib"));
    for file in crate::files::walk(&lib)?.files {
        if file
            .file_name()
            .is_some_and(|name| name == "libpython3.13.a")
        {
            let path = lib.join(file);
            fs::remove_file(&path).map_err(Error::io("delete", &path))?;
        }
    }
    Ok(())
}
