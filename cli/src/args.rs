//! The command line.

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
    /// Build everything that is missing, then import markupsafe and simplejson with their C speedups
    Demo,
    /// Run Python as `python` does: stdin, stdout, stderr, `sys.argv`, exit code
    Run(Run),
    /// Build a Worker from a project: a folder for `wrangler deploy`; prints its path
    Build {
        /// The project: `pyproject.toml` and `src/`
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Directory of the Worker [default: `dist` in the project]
        #[arg(short, long, value_name = "OUT")]
        out: Option<PathBuf>,
    },
    /// Serve a project in a local workerd, and reload it when it changes
    Dev {
        /// The project: `pyproject.toml` and `src/`
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Port on localhost; 0 picks a free one
        #[arg(long, value_name = "N", default_value_t = 8787)]
        port: u16,
    },
    /// Build, check and test C extensions
    #[command(subcommand)]
    Ext(Ext),
    /// Compile and link C for wasm32-wasi as gcc does: `-c`, `-shared`, executables
    #[command(disable_help_flag = true)]
    Cc(Passed),
    /// Compile and link C++ for wasm32-wasi
    #[command(name = "c++", disable_help_flag = true)]
    Cxx(Passed),
    /// Create static libraries of wasm32-wasi objects
    #[command(disable_help_flag = true)]
    Ar(Passed),
    /// Index a static library of wasm32-wasi objects
    #[command(disable_help_flag = true)]
    Ranlib(Passed),
    /// Run programs that load libraries with `dlopen(3)`
    #[command(subcommand)]
    Dl(Dl),
    /// Add packages to the project's dependencies, lock and build them
    Add {
        /// Requirements, such as `markupsafe`, `markupsafe==3.0.4` or `pyyaml>=6`
        #[arg(required = true, value_name = "REQUIREMENT")]
        requirements: Vec<String>,
        #[command(flatten)]
        project: InProject,
    },
    /// Remove packages from the project's dependencies, and lock the rest
    Remove {
        /// Packages
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        project: InProject,
    },
    /// Resolve the project's dependencies, and write `pylock.toml`
    Lock {
        /// Take the newest versions that fit instead of the locked ones
        #[arg(long)]
        upgrade: bool,
        #[command(flatten)]
        project: InProject,
    },
    /// Build the locked dependencies; prints the directories that make them importable
    Sync {
        #[command(flatten)]
        project: InProject,
    },
    /// Show and check the contract between python.wasm and side modules
    #[command(subcommand)]
    Abi(Abi),
    /// Build the interpreter
    #[command(subcommand)]
    Python(Python),
    /// Check the required tools: version, location, and how to get a missing one
    Doctor,
}

#[derive(Args)]
pub(crate) struct Run {
    /// Engine to use
    #[arg(long, value_enum, default_value_t = Engine::Wasmtime)]
    pub(crate) engine: Engine,
    /// Make a package importable, and build it if it has C code: a requirement such as `NAME` or `NAME>=2`, an sdist, a wheel or a source tree
    #[arg(long, value_name = "SPEC")]
    pub(crate) with: Vec<String>,
    /// Make a directory of modules importable (read-only)
    #[arg(long, value_name = "DIR")]
    pub(crate) site: Vec<PathBuf>,
    /// Maximum memory of Python, in MB [default on workerd: 96]
    #[arg(long, value_name = "MB", value_parser = Megabytes::parse)]
    pub(crate) memory: Option<Megabytes>,
    /// `-c CODE`, `-m MODULE`, `SCRIPT` or `-`, then arguments; Python's own options come first
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "PYTHON ARGS"
    )]
    pub(crate) python: Vec<OsString>,
}

/// An amount of memory in units of 2^20 bytes: enough for Python to start, at most its address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Megabytes(u16);

impl Megabytes {
    /// The whole address space of a guest.
    pub(crate) const MOST: Self = Self(4096);
    const LEAST: Self = Self(16);

    fn parse(text: &str) -> Result<Self, String> {
        let range = Self::LEAST.0..=Self::MOST.0;
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Self(number)),
            _ => Err(format!(
                "expected a number of MB between {} and {}",
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
        /// Requirement such as `NAME`, `NAME==1.2` or `NAME>=1.2,<2`, an sdist, or a source tree
        #[arg(required = true, value_name = "SPEC")]
        specs: Vec<String>,
        /// Directory for the wheels
        #[arg(short, long = "out", value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// Keep the build tree and print its path
        #[arg(long)]
        keep: bool,
    },
    /// Check wheels and side modules against the ABI; lists every violation
    Check {
        /// Wheels, or `.wasm` files
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Run a package's own test suite, from its sdist, inside the guest
    Test {
        /// Requirement such as `NAME` or `NAME==1.2`, or an sdist
        spec: String,
        /// Engine to use
        #[arg(long, value_enum, default_value_t = Engine::Wasmtime)]
        engine: Engine,
        /// Maximum memory of Python, in MB [default: 4096, its whole address space]
        #[arg(long, value_name = "MB", value_parser = Megabytes::parse)]
        memory: Option<Megabytes>,
        /// Write the result to this file, as JSON
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// Arguments of the test runner
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
    /// Arguments, passed on unchanged
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
    /// Engine to use
    #[arg(long, value_enum, default_value_t = Engine::Wasmtime)]
    pub(crate) engine: Engine,
    /// Directory in which `dlopen` searches for a library without a path
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Vec<PathBuf>,
    /// Maximum memory of the program, in MB [default on workerd: 96]
    #[arg(long, value_name = "MB", value_parser = Megabytes::parse)]
    pub(crate) memory: Option<Megabytes>,
    /// Program, then its arguments
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
    /// Check that a python.wasm or a side module conforms to the contract
    Check {
        /// python.wasm, side module or wheel
        file: PathBuf,
    },
}

#[derive(Subcommand)]
pub(crate) enum Python {
    /// Build python.wasm and the stdlib image if they are missing; prints their paths and sizes
    Build {
        /// Omit docstrings from the stdlib image
        #[arg(long)]
        no_docstrings: bool,
        /// Add the sources to the stdlib image, so that tracebacks show its lines
        #[arg(long)]
        sources: bool,
    },
}
