//! `pymode dl`: runs programs that load libraries.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pymode_native::{Exit, Program};
use pymode_toolchain::{Cache, Reporter, libcxx};

use crate::args::{Dl, DlRun, Engine};
use crate::failure::Failure;

/// Directory of the C++ library in every host.
const LIB: &str = "/lib";

pub(crate) fn dl(verb: &Dl) -> Result<ExitCode, Failure> {
    let Dl::Run(args) = verb;
    let Some((main, rest)) = args.program.split_first() else {
        return Err(Failure::usage(
            "no program\n  hint: name one, such as `pymode dl run main.wasm`",
        ));
    };
    let exit = match args.engine {
        Engine::Wasmtime => natively(args, main, rest),
        Engine::Workerd => in_a_worker(args, main, rest),
    }?;
    if let Exit::Failure(fault) = &exit {
        crate::job::report_failure(fault);
    }
    Ok(ExitCode::from(exit.code()))
}

fn natively(args: &DlRun, main: &OsString, rest: &[OsString]) -> Result<Exit, Failure> {
    let cache = Cache::open()?;
    let program = Program::open(Path::new(main), &cache.root().join("code"))?;
    let mut run = program.run();
    run.arg(main).args(rest).cwd(&std::env::current_dir()?)?;
    for dir in &args.path {
        run.library(dir)?;
    }
    if let Some((at, library)) = cxx_library(&cache) {
        run.mount_read_only(at, &library)?;
    }
    if let Some(memory) = args.memory {
        run.memory_limit(usize::try_from(memory.bytes()).unwrap_or(usize::MAX));
    }
    if crate::job::traces_loads() {
        run.trace_loads();
    }
    Ok(run.start()?)
}

fn in_a_worker(args: &DlRun, main: &OsString, rest: &[OsString]) -> Result<Exit, Failure> {
    let reporter = Reporter::stderr();
    let cache = Cache::open()?.with_reporter(&reporter);
    let runtime = pymode_workerd::Runtime::open(&cache, &reporter)?;
    let program = pymode_workerd::Program::open(&runtime, Path::new(main))?;
    let mut run = program.run();
    run.args([main]).args(rest).cwd(&std::env::current_dir()?);
    for dir in &args.path {
        run.library(dir);
    }
    if let Some((at, library)) = cxx_library(&cache) {
        run.file(&at, &library);
    }
    if let Some(memory) = args.memory {
        run.memory_limit(memory.bytes());
    }
    if crate::job::traces_loads() {
        run.trace_loads();
    }
    Ok(run.start()?)
}

/// Path of the C++ library in the guest, and its file. A C++ module was built with this library, so the cache has it.
fn cxx_library(cache: &Cache) -> Option<(PathBuf, PathBuf)> {
    let library = cache.get("tools", &libcxx::key())?;
    Some((
        Path::new(LIB).join(libcxx::MODULE),
        library.join(libcxx::MODULE),
    ))
}
