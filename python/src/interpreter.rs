//! libpython for WASI: CPython's own Makefile, told what is to be fast and what is to be small.

use std::path::PathBuf;

use pymode_toolchain::Key;

use crate::configured::Configured;
use crate::error::Error;
use crate::files::{copy, copy_tree, write};
use crate::modules::setup_local;
use crate::runtime;
use crate::source::PythonSource;
use crate::workshop::Workshop;

/// Where Python programs spend their time. Compiled for speed, everything else for size.
const FAST: &[&str] = &[
    "Modules/_collectionsmodule.o",
    "Modules/_functoolsmodule.o",
    "Modules/_heapqmodule.o",
    "Modules/_json.o",
    "Modules/_operator.o",
    "Modules/_sre/sre.o",
    "Modules/_struct.o",
    "Modules/itertoolsmodule.o",
    "Modules/mathmodule.o",
    "Objects/abstract.o",
    "Objects/boolobject.o",
    "Objects/bytes_methods.o",
    "Objects/bytesobject.o",
    "Objects/call.o",
    "Objects/cellobject.o",
    "Objects/classobject.o",
    "Objects/codeobject.o",
    "Objects/descrobject.o",
    "Objects/dictobject.o",
    "Objects/enumobject.o",
    "Objects/exceptions.o",
    "Objects/floatobject.o",
    "Objects/frameobject.o",
    "Objects/funcobject.o",
    "Objects/genobject.o",
    "Objects/iterobject.o",
    "Objects/listobject.o",
    "Objects/longobject.o",
    "Objects/methodobject.o",
    "Objects/moduleobject.o",
    "Objects/object.o",
    "Objects/obmalloc.o",
    "Objects/rangeobject.o",
    "Objects/setobject.o",
    "Objects/sliceobject.o",
    "Objects/tupleobject.o",
    "Objects/typeobject.o",
    "Objects/unicodeobject.o",
    "Objects/weakrefobject.o",
    "Python/bltinmodule.o",
    "Python/ceval.o",
    "Python/errors.o",
    "Python/frame.o",
    "Python/gc.o",
    "Python/getargs.o",
    "Python/intrinsics.o",
    "Python/modsupport.o",
    "Python/pyhash.o",
    "Python/specialize.o",
];

/// The module with what `sysconfig` says. CPython makes its name of the platform's.
pub(crate) const SYSCONFIGDATA: &str = "_sysconfigdata__wasi_wasm32-wasi.py";

const FAST_FLAGS: &str = "OPT=-DNDEBUG -O3";
const SMALL_FLAGS: &str = "OPT=-DNDEBUG -Os";

/// To be changed with what the steps below do, beyond the constants above.
const RECIPE: &str = "1";

/// The compiled interpreter, before it is linked.
///
/// | path | content |
/// |---|---|
/// | `lib/libpython3.13.a`, `lib/libHacl_Hash_SHA2.a` | the archives |
/// | `include/` | `Python.h` and all that it includes, our headers too |
/// | `sysconfigdata/` | the data of `sysconfig`, as CPython's Makefile wrote it |
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    pub(crate) key: Key,
    pub(crate) dir: PathBuf,
}

impl Interpreter {
    pub(crate) fn archives(&self) -> [PathBuf; 2] {
        ["libpython3.13.a", "libHacl_Hash_SHA2.a"].map(|name| self.dir.join("lib").join(name))
    }

    /// What configure and make found out, with paths of this machine still in it.
    pub(crate) fn sysconfigdata(&self) -> PathBuf {
        self.dir.join("sysconfigdata").join(SYSCONFIGDATA)
    }

    pub(crate) fn include(&self) -> PathBuf {
        self.dir.join("include")
    }
}

pub(crate) fn provision(
    shop: &Workshop<'_>,
    source: &PythonSource,
    configured: &Configured,
) -> Result<Interpreter, Error> {
    let key = Key::new("interpreter")
        .key("configured", &configured.key)
        .key("dynload", &runtime::dynload_key())
        .field("setup", setup_local())
        .field("fast", format!("{FAST_FLAGS} {}", FAST.join(" ")))
        .field("small", SMALL_FLAGS)
        .field("recipe", RECIPE);
    let dir = shop.cache.entry("python", &key, |dir| {
        let tree = dir.join("tree");
        configured.copy_to(&tree, source)?;
        let build = tree.join("build");
        write(&build.join("Modules/Setup.local"), setup_local())?;
        runtime::write_dynload(&build)?;

        let mut fast = shop.make(&build);
        fast.arg(FAST_FLAGS).args(FAST);
        shop.run(
            "compiling the interpreter, for speed",
            "python-make-fast",
            fast,
        )?;
        let mut rest = shop.make(&build);
        rest.arg(SMALL_FLAGS)
            // configure ran elsewhere.
            .arg(format!("abs_builddir={}", build.display()))
            .args([
                "libpython3.13.a",
                "Modules/_hacl/libHacl_Hash_SHA2.a",
                "pybuilddir.txt",
            ]);
        shop.run("compiling the interpreter, the rest", "python-make", rest)?;

        for archive in ["libpython3.13.a", "Modules/_hacl/libHacl_Hash_SHA2.a"] {
            let archive = build.join(archive);
            copy(
                &archive,
                &dir.join("lib")
                    .join(archive.file_name().unwrap_or_default()),
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
