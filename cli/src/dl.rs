//! `pymode dl`: programs that load libraries, Python or not.

use std::path::Path;
use std::process::ExitCode;

use pymode_native::{Exit, Program};
use pymode_toolchain::{Cache, libcxx};

use crate::args::{Dl, DlRun, Engine};
use crate::failure::Failure;

/// Where C++ modules find their library, in every host.
const LIB: &str = "/lib";

pub(crate) fn dl(verb: &Dl) -> Result<ExitCode, Failure> {
    let Dl::Run(args) = verb;
    match args.engine {
        Engine::Wasmtime => natively(args),
        Engine::Workerd => Err(Failure::usage(
            "only Python runs in workerd so far\nhint: leave out `--engine workerd`",
        )),
    }
}

fn natively(args: &DlRun) -> Result<ExitCode, Failure> {
    let Some((main, rest)) = args.program.split_first() else {
        return Err(Failure::usage("no program is named"));
    };
    let cache = Cache::open()?;
    let program = Program::open(Path::new(main), &cache.root().join("code"))?;
    let mut run = program.run();
    run.arg(main).args(rest).cwd(&std::env::current_dir()?)?;
    for dir in &args.path {
        run.library(dir)?;
    }
    // Whoever has a C++ module has built it with this library.
    if let Some(library) = cache.get("tools", &libcxx::key()) {
        run.mount_read_only(
            format!("{LIB}/{}", libcxx::MODULE),
            &library.join(libcxx::MODULE),
        )?;
    }
    if crate::job::traces_loads() {
        run.trace_loads();
    }
    let exit = run.start()?;
    if let Exit::Fault(fault) = &exit {
        crate::job::tell(fault);
    }
    Ok(ExitCode::from(exit.code()))
}
