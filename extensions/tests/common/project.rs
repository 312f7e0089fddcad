//! Projects to build, and the Python to build them for.

use std::sync::OnceLock;

use libtest_mimic::Failed;
use pymode_ext::{Builder, Error, Spec, Target};
use pymode_python::Options;
use pymode_toolchain::{Cache, Reporter};

use super::tree;

pub(crate) struct World {
    pub(crate) cache: Cache,
    pub(crate) reporter: Reporter,
    pub(crate) target: Target,
}

/// The Python to build for, from the cache or built now.
pub(crate) fn world() -> Result<&'static World, Failed> {
    static WORLD: OnceLock<Result<World, String>> = OnceLock::new();
    let world = WORLD.get_or_init(|| {
        let reporter = Reporter::stderr();
        let cache = Cache::open()
            .map_err(|e| e.to_string())?
            .with_reporter(&reporter);
        let built = pymode_python::build(&cache, &reporter, Options::default())
            .map_err(|e| e.to_string())?;
        Ok(World {
            target: Target::from(&built),
            cache,
            reporter,
        })
    });
    world.as_ref().map_err(|e| e.clone().into())
}

pub(crate) fn builder() -> Result<Builder<'static>, Failed> {
    let world = world()?;
    Ok(Builder::new(
        &world.cache,
        &world.reporter,
        world.target.clone(),
        &std::env::current_exe()?,
    ))
}

pub(crate) fn spec(text: &str) -> Result<Spec, Failed> {
    Ok(text.parse::<Spec>()?)
}

pub(crate) fn failed(e: Error) -> Failed {
    e.to_string().into()
}

pub(crate) const SETUP: &str = "
from setuptools import Extension, setup
setup(name='tiny', version='1.0', packages=['tiny'], ext_modules=[Extension('tiny._c', ['tiny/_c.c'])])
";
pub(crate) const PYPROJECT: &str = "
[build-system]
requires = ['setuptools>=77']
build-backend = 'setuptools.build_meta'
";

/// A project whose extension module has this body of `answer`.
pub(crate) fn tiny(before: &str, answer: &str) -> Result<tempfile::TempDir, Failed> {
    let source = format!(
        "#include <Python.h>\n{before}\nstatic PyObject *answer(PyObject *self, PyObject *args) {{ {answer} }}
        static PyMethodDef methods[] = {{{{\"answer\", answer, METH_NOARGS, NULL}}, {{NULL}}}};
        static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, \"_c\", NULL, 0, methods}};
        PyMODINIT_FUNC PyInit__c(void) {{ return PyModule_Create(&module); }}"
    );
    tree(&[
        ("setup.py", SETUP),
        ("pyproject.toml", PYPROJECT),
        ("tiny/__init__.py", ""),
        ("tiny/_c.c", &source),
    ])
}

pub(crate) fn build_tree(
    dir: &tempfile::TempDir,
) -> Result<Result<pymode_ext::Wheel, Error>, Failed> {
    Ok(builder()?.build(&spec(&format!("{}/", dir.path().display()))?))
}
