//! The C modules of the standard library that are loaded at run time.

use std::path::{Path, PathBuf};

use pymode_abi::EXT_SUFFIX;
use pymode_toolchain::Key;
use pymode_toolchain::cc::{self, abi_section, flags, without_zeros};
use pymode_toolchain::crates::CrateSources;

use crate::SOURCES;
use crate::context::BuildContext;
use crate::error::Error;
use crate::files::{read, write};
use crate::interpreter::Interpreter;
use crate::libraries;
use crate::modules::{SIDE, SideModule};
use crate::recipe::Recipe;
use crate::runtime;
use crate::source::PythonSource;

/// Beside the flags of every side module.
const FLAGS: &[&str] = &[
    "-std=gnu11",
    "-O2",
    "-g0",
    "-DNDEBUG",
    "-fno-strict-overflow",
    // Only `PyInit_*`, which has an attribute of its own, is exported: an export costs the loader time.
    "-fvisibility=hidden",
    "-w",
];

/// The compiled modules.
#[derive(Clone, Debug)]
pub(crate) struct SideModules {
    pub(crate) key: Key,
    dir: PathBuf,
}

impl SideModules {
    /// The file names of the modules, each with its path.
    pub(crate) fn files(&self) -> impl Iterator<Item = (String, PathBuf)> + '_ {
        SIDE.iter()
            .map(|module| (file_name(module), self.dir.join(file_name(module))))
    }
}

fn file_name(module: &SideModule) -> String {
    format!("{}{EXT_SUFFIX}", module.name)
}

pub(crate) fn provision(
    context: &BuildContext<'_>,
    source: &PythonSource,
    crates: &CrateSources,
    interpreter: &Interpreter,
) -> Result<SideModules, Error> {
    let mut recipe = Recipe::default();
    for module in SIDE {
        add(&mut recipe, context, module, source, crates, interpreter)?;
    }
    let makefile = recipe.text();
    let key = Key::new("side")
        // Their headers and libraries; the archives would not matter.
        .key("interpreter", &interpreter.key)
        .key("cc", &cc::key())
        .key("sqlite", &runtime::sqlite_key())
        .field("makefile", &makefile)
        .field("sources", SOURCES);
    let dir = context.cache.entry("python", &key, |dir| {
        let build = dir.join("build");
        write(&build.join("Makefile"), makefile)?;
        runtime::write_sqlite(&build)?;
        context.run(
            "compiling the standard library's side modules",
            "python-side",
            context.make(&build),
        )?;
        for module in SIDE {
            let linked = read(&build.join(format!("{}.wasm", module.name)))?;
            let mut bytes = without_zeros(&linked).unwrap_or(linked);
            bytes.extend(abi_section(pymode_abi::VERSION));
            write(&dir.join(file_name(module)), bytes)?;
        }
        std::fs::remove_dir_all(&build).map_err(Error::io("delete", &build))
    })?;
    Ok(SideModules { key, dir })
}

fn add(
    recipe: &mut Recipe,
    context: &BuildContext<'_>,
    module: &SideModule,
    source: &PythonSource,
    crates: &CrateSources,
    interpreter: &Interpreter,
) -> Result<(), Error> {
    let modules = source.dir.join("Modules");
    let include = interpreter.include();
    let common: Vec<String> = [flags::COMPILE, FLAGS]
        .concat()
        .iter()
        .map(|flag| (*flag).to_owned())
        // No path of this machine in `__FILE__`.
        .chain(
            [&modules, context.cache.root()]
                .map(|dir: &Path| format!("-ffile-prefix-map={}=.", dir.display())),
        )
        .chain([&include, &include.join("internal")].map(|dir| format!("-I{}", dir.display())))
        .collect();
    let library = match module.library {
        Some(library) => Some(libraries::sources(library, &modules, crates)?),
        None => None,
    };

    let mut own = common.clone();
    own.extend(
        module
            .flags
            .iter()
            .map(|flag| flag.replace("{modules}", &modules.display().to_string())),
    );
    own.extend(
        library
            .iter()
            .flat_map(|library| library.user_flags.clone()),
    );
    let mut objects = Vec::new();
    let mut compile = |source: &Path, flags: &[String]| {
        let name = source
            .file_stem()
            .map(|stem| stem.to_string_lossy())
            .unwrap_or_default();
        let object = format!("{}/{name}.o", module.name);
        recipe.compile(&context.zig("cc"), flags, source, &object);
        objects.push(object);
    };
    for file in module.sources {
        compile(&modules.join(file), &own);
    }
    if let Some(library) = library {
        let flags = [common, library.flags].concat();
        library
            .sources
            .iter()
            .for_each(|source| compile(source, &flags));
    }
    let linker = format!(
        "{} {} $^ -o $@",
        context.zig("wasm-ld"),
        [flags::LINK_SIDE, &[flags::BIND_OWN]].concat().join(" ")
    );
    recipe.rule(&format!("{}.wasm", module.name), &objects, &linker);
    Ok(())
}
