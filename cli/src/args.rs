//! What may stand on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Python on WebAssembly that loads C extensions at run time.
#[derive(Parser)]
#[command(
    name = "pymode",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Build what is missing, then import markupsafe and simplejson with their C speedups
    Demo,
    /// Run Python as `python` does: stdin, stdout, stderr, `sys.argv`, exit code
    Run(Run),
    /// Make a Worker of a project: a folder for `wrangler deploy`; prints its path
    Build {
        /// The project: `pyproject.toml` and `src/`
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Where the Worker goes; `dist` in the project when absent
        #[arg(short, long, value_name = "OUT")]
        out: Option<PathBuf>,
    },
    /// Serve a project in a local workerd, and serve it anew whenever it changes
    Dev {
        /// The project: `pyproject.toml` and `src/`
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Where it listens, on this machine only; 0 is any that is free
        #[arg(long, value_name = "N", default_value_t = 8787)]
        port: u16,
    },
    /// Build, check and test C extensions
    #[command(subcommand)]
    Ext(Ext),
    /// Compile and link C for wasm32-wasi as gcc does: `-c`, `-shared`, executables
    #[command(disable_help_flag = true)]
    Cc(Passed),
    /// The same for C++
    #[command(name = "c++", disable_help_flag = true)]
    Cxx(Passed),
    /// Make static libraries of wasm32-wasi objects
    #[command(disable_help_flag = true)]
    Ar(Passed),
    /// Index a static library of wasm32-wasi objects
    #[command(disable_help_flag = true)]
    Ranlib(Passed),
    /// Programs that load libraries with `dlopen(3)`, Python or not
    #[command(subcommand)]
    Dl(Dl),
    /// Add packages to the project's dependencies, lock them, and build them
    Add {
        /// As they are written in metadata: `markupsafe`, `markupsafe==3.0.4`, `pyyaml>=6`
        #[arg(required = true, value_name = "REQUIREMENT")]
        requirements: Vec<String>,
        #[command(flatten)]
        project: InProject,
    },
    /// Remove packages from the project's dependencies and lock the others
    Remove {
        /// The packages
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        project: InProject,
    },
    /// Choose a version for all that the project depends on, and write `pylock.toml`
    Lock {
        /// Take the newest versions that fit, not those of the lock that is there
        #[arg(long)]
        upgrade: bool,
        #[command(flatten)]
        project: InProject,
    },
    /// Build what the project's lock names; prints the directories that make it importable
    Sync {
        #[command(flatten)]
        project: InProject,
    },
    /// The contract between python.wasm and side modules
    #[command(subcommand)]
    Abi(Abi),
    /// The interpreter itself
    #[command(subcommand)]
    Python(Python),
    /// Tell what is there, which version, from where, and what is missing and how it will be had
    Doctor,
}

#[derive(Args)]
pub(crate) struct Run {
    /// The engine that runs it
    #[arg(long, value_enum, default_value_t = Engine::Wasmtime)]
    pub(crate) engine: Engine,
    /// Make a package importable, building it when it has C code: a requirement such as `NAME` or `NAME>=2`, an sdist, a wheel or a source tree
    #[arg(long, value_name = "SPEC")]
    pub(crate) with: Vec<String>,
    /// Make a directory of modules importable (read-only)
    #[arg(long, value_name = "DIR")]
    pub(crate) site: Vec<PathBuf>,
    /// How much memory Python may use, in MB; in workerd it has 96 when nothing is said
    #[arg(long, value_name = "MB", value_parser = Megabytes::parse)]
    pub(crate) memory: Option<Megabytes>,
    /// What Python gets: `-c CODE`, `-m MODULE`, `SCRIPT` or `-`, then arguments; Python's own options come first
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "PYTHON ARGS"
    )]
    pub(crate) python: Vec<OsString>,
}

/// How much memory, in units of 2^20 bytes: more than Python needs to start, no more than it can address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Megabytes(u16);

impl Megabytes {
    /// All that a guest can address.
    pub(crate) const MOST: Self = Self(4096);
    const LEAST: Self = Self(16);

    fn parse(text: &str) -> Result<Self, String> {
        let range = Self::LEAST.0..=Self::MOST.0;
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Self(number)),
            _ => Err(format!(
                "not a number of MB between {} and {}",
                range.start(),
                range.end()
            )),
        }
    }

    pub(crate) fn bytes(self) -> u64 {
        u64::from(self.0) << 20
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// Natively, in this process
    Wasmtime,
    /// In a Durable Object of a local workerd
    Workerd,
}

#[derive(Subcommand)]
pub(crate) enum Ext {
    /// Build wheels with `.wasm` side modules; prints each wheel's path
    Build {
        /// A requirement such as `NAME`, `NAME==1.2` or `NAME>=1.2,<2`; an sdist; or a source tree
        #[arg(required = true, value_name = "SPEC")]
        specs: Vec<String>,
        /// Where the wheels go
        #[arg(short, long = "out", value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// Keep the build tree and say where it is
        #[arg(long)]
        keep: bool,
    },
    /// Check wheels and side modules against the ABI; every fault is listed
    Check {
        /// Wheels, or `.wasm` files
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Run a package's own test suite, from its sdist, inside the guest
    Test {
        /// A requirement such as `NAME` or `NAME==1.2`, or an sdist
        spec: String,
        /// The engine that runs it
        #[arg(long, value_enum, default_value_t = Engine::Wasmtime)]
        engine: Engine,
        /// How much memory Python may use, in MB; 4096, which is all that it can address, when nothing is said
        #[arg(long, value_name = "MB", value_parser = Megabytes::parse)]
        memory: Option<Megabytes>,
        /// Write how it went to this file, as JSON
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// Passed to the test runner
        #[arg(last = true, value_name = "ARGS")]
        args: Vec<String>,
    },
}

#[derive(Args)]
pub(crate) struct InProject {
    /// A directory in the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) project: PathBuf,
}

#[derive(Args)]
pub(crate) struct Passed {
    /// Passed on as they are
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGS"
    )]
    pub(crate) args: Vec<OsString>,
}

#[derive(Subcommand)]
pub(crate) enum Dl {
    /// Run a wasm32-wasi program in the current directory: stdin, stdout, stderr, arguments, exit code
    Run(DlRun),
}

#[derive(Args)]
pub(crate) struct DlRun {
    /// The engine that runs it
    #[arg(long, value_enum, default_value_t = Engine::Wasmtime)]
    pub(crate) engine: Engine,
    /// A directory in which `dlopen` finds libraries that it is asked for without a path
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Vec<PathBuf>,
    /// How much memory the program may use, in MB; in workerd it has 96 when nothing is said
    #[arg(long, value_name = "MB", value_parser = Megabytes::parse)]
    pub(crate) memory: Option<Megabytes>,
    /// The program, then its arguments
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true,
        value_name = "MAIN.wasm [ARGS]"
    )]
    pub(crate) program: Vec<OsString>,
}

#[derive(Subcommand)]
pub(crate) enum Abi {
    /// Print the contract: every export and host import with its signature
    Show,
    /// Tell whether a python.wasm or a side module keeps the contract
    Check {
        /// A python.wasm, a side module or a wheel
        file: PathBuf,
    },
}

#[derive(Subcommand)]
pub(crate) enum Python {
    /// Build python.wasm and the stdlib image when they are not there; prints their paths and sizes
    Build {
        /// Leave docstrings out of the stdlib image
        #[arg(long)]
        no_docstrings: bool,
        /// Put the sources into the stdlib image, so that tracebacks show its lines
        #[arg(long)]
        sources: bool,
    },
}
