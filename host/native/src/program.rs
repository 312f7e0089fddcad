//! A program that is ready to be run, again and again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pymode_dylink_wasmtime::{CodeCache, MainModule};
use pymode_host::program::{EXPORTS, START, Unusable};
use wasmtime::{Engine, Instance, InstancePre, Linker, Module, Store};

use crate::error::Error;
use crate::guest::GuestProcess;
use crate::names::FunctionNames;
use crate::run::Run;
use crate::threads::{self, Threaded};
use crate::{engine, imports};

/// A compiled main module: any wasm32-wasi program, Python or not.
#[derive(Clone)]
pub struct Program {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    engine: Engine,
    imports: Arc<Linker<GuestProcess>>,
    bound: InstancePre<GuestProcess>,
    /// If the program has threads.
    scheduler: Option<InstancePre<GuestProcess>>,
    code: CodeCache,
}

impl Program {
    /// Compiles a main module, or takes its code from `cache_dir`, where the code of all modules is kept.
    ///
    /// # Errors
    /// When the file cannot be read or compiled, is no program, or imports what this host does not give.
    pub fn open(wasm: &Path, cache_dir: &Path) -> Result<Program, Error> {
        let set_up = |error: wasmtime::Error| Error::Engine {
            reason: format!("{error:#}"),
        };
        let unusable = |error: wasmtime::Error| Unusable::Compile {
            path: wasm.into(),
            reason: format!("{error:#}"),
        };
        std::fs::metadata(wasm).map_err(Error::file("read", wasm))?;
        let engine = engine::engine().map_err(set_up)?;
        let imports = imports::linker(&engine).map_err(set_up)?;
        let code = CodeCache::new(cache_dir);
        let module = code.file(&engine, wasm).map_err(unusable)?;
        for export in EXPORTS {
            if module.get_export_index(export).is_none() {
                return Err(Unusable::NotAProgram {
                    path: wasm.into(),
                    export,
                }
                .into());
            }
        }
        let bound = bind(&imports, &module, wasm)?;
        let scheduler = match threads::SUPPORTED && threads::has_threads(&module) {
            true => Some(threads::scheduler(&engine, &code).map_err(set_up)?),
            false => None,
        };
        let imports = Arc::new(imports);
        Ok(Program {
            shared: Arc::new(Shared {
                path: wasm.into(),
                engine,
                imports,
                bound,
                scheduler,
                code,
            }),
        })
    }

    /// A run of this program, without arguments, files and streams yet.
    #[must_use]
    pub fn run(&self) -> Run {
        Run::new(self.clone())
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    /// Instantiates the program in a store.
    pub(crate) fn start(&self, store: &mut Store<GuestProcess>) -> wasmtime::Result<Started> {
        match &self.shared.scheduler {
            None => Ok(Started::Plain(self.shared.bound.instantiate(store)?)),
            Some(scheduler) => {
                let (imports, module) = (&self.shared.imports, self.module());
                let threaded = Threaded::new(store, scheduler, imports, module)?;
                Ok(Started::Threaded(threaded))
            }
        }
    }

    pub(crate) fn code(&self) -> &CodeCache {
        &self.shared.code
    }

    pub(crate) fn module(&self) -> &Module {
        self.shared.bound.module()
    }

    /// Name in messages: the file's name.
    pub(crate) fn name(&self) -> String {
        let path = &self.shared.path;
        path.file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned()
    }

    /// FunctionNames of functions, if the module itself has none.
    pub(crate) fn names(&self) -> FunctionNames {
        FunctionNames::beside(&self.shared.path)
    }

    /// Returns the loader's description of the program, when the first side module is loaded.
    pub(crate) fn main_module(
        &self,
        instance: Instance,
        imports: Option<Arc<Linker<GuestProcess>>>,
    ) -> MainModule<GuestProcess> {
        let path = self.shared.path.clone();
        let named = FunctionNames::path(&path);
        MainModule {
            name: self.name(),
            instance,
            bytes: Box::new(move || std::fs::read(&path)),
            names: Some(Box::new(move || std::fs::read(&named).ok())),
            imports: imports.unwrap_or_else(|| Arc::clone(&self.shared.imports)),
        }
    }
}

/// An instance of a program, before it runs.
pub(crate) enum Started {
    Plain(Instance),
    Threaded(Threaded),
}

impl Started {
    pub(crate) fn main(&self) -> Instance {
        match self {
            Started::Plain(main) => *main,
            Started::Threaded(threaded) => threaded.main,
        }
    }

    /// Returns the host functions for side modules, if they are not those of main.
    pub(crate) fn imports(&self) -> Option<Arc<Linker<GuestProcess>>> {
        match self {
            Started::Plain(_) => None,
            Started::Threaded(threaded) => Some(Arc::clone(&threaded.imports)),
        }
    }

    /// Runs `main` to its end.
    pub(crate) fn run(&self, store: &mut Store<GuestProcess>) -> wasmtime::Result<()> {
        match self {
            Started::Plain(main) => {
                let start = main.get_typed_func::<(), ()>(&mut *store, START)?;
                start.call(store, ())
            }
            Started::Threaded(threaded) => threaded.run(store),
        }
    }
}

/// Finds all imports at once, so that a start only instantiates.
fn bind(
    imports: &Linker<GuestProcess>,
    module: &Module,
    path: &Path,
) -> Result<InstancePre<GuestProcess>, Unusable> {
    imports
        .instantiate_pre(module)
        .map_err(|error| match imports::missing(module) {
            missing if missing.is_empty() => Unusable::Compile {
                path: path.into(),
                reason: format!("{error:#}"),
            },
            imports => Unusable::Imports {
                path: path.into(),
                imports,
            },
        })
}
