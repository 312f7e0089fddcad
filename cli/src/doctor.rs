//! `pymode doctor`: the required tools with version and location, and the way to get a missing one.

use std::path::Path;
use std::process::{Command, ExitCode};

use pymode_python::Options;
use pymode_toolchain::{Cache, Reporter, npm, zig};

use crate::failure::Failure;

/// A tool that pymode needs.
struct Tool {
    what: &'static str,
    found: Option<String>,
    /// The way to get it.
    otherwise: &'static str,
    /// `true` if pymode gets it itself.
    ours: bool,
}

pub(crate) fn doctor() -> Result<ExitCode, Failure> {
    let cache = Cache::open()?;
    let tools = tools(&cache);
    println!(
        "pymode {} · ABI version {}",
        env!("CARGO_PKG_VERSION"),
        pymode_abi::VERSION
    );
    println!("cache: {}", cache.root().display());
    for tool in &tools {
        match &tool.found {
            Some(found) => println!("ok       {}: {found}", tool.what),
            None if tool.ours => println!("later    {}: {}", tool.what, tool.otherwise),
            None => println!("missing  {}\n         hint: {}", tool.what, tool.otherwise),
        }
    }
    let fit = tools.iter().all(|f| f.ours || f.found.is_some());
    Ok(if fit {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tools(cache: &Cache) -> Vec<Tool> {
    let machine = |what, program, args: &[&str], otherwise| Tool {
        what,
        found: version(program, args),
        otherwise,
        ours: false,
    };
    let cached = |what, path: Option<std::path::PathBuf>, version: &str, otherwise| Tool {
        what,
        found: path.map(|p| format!("{version} ({})", p.display())),
        otherwise,
        ours: true,
    };
    let (sealed, quiet) = (cache.clone().sealed(), Reporter::quiet());
    let python = pymode_python::build(&sealed, &quiet, Options::default()).ok();
    vec![
        machine("C compiler", "cc", &["--version"], "install gcc"),
        machine("make", "make", &["--version"], "install make"),
        machine("python3", "python3", &["--version"], "install python3"),
        machine(
            "pip",
            "python3",
            &["-m", "pip", "--version"],
            "install pip for python3, e.g. the package `python3-pip`",
        ),
        machine(
            "cargo",
            "cargo",
            &["--version"],
            "install Rust, which unpacks C sources and builds the Worker",
        ),
        machine(
            "npm",
            "npm",
            &["--version"],
            "install Node.js with npm, which provides workerd; only Workers need it",
        ),
        cached(
            "zig",
            zig::provision(&sealed, &quiet).ok().map(|z| z.exe),
            zig::VERSION,
            "downloaded when first needed, 100 MB",
        ),
        cached(
            "native Python",
            python.as_ref().map(|built| built.native.clone()),
            pymode_python::SOURCE_VERSION,
            "built when first needed, about 5 minutes on two cores",
        ),
        cached(
            "python.wasm",
            python.map(|built| built.wasm),
            pymode_python::SOURCE_VERSION,
            "built when first needed, about 5 minutes on two cores",
        ),
        cached(
            "workerd",
            npm::workerd(&sealed, &quiet)
                .ok()
                .map(|workerd| workerd.exe),
            npm::WORKERD_VERSION,
            "downloaded when first needed, 40 MB",
        ),
        cached(
            "the Worker's own code",
            pymode_workerd::worker::provision(&sealed, &quiet)
                .ok()
                .map(|code| code.host()),
            env!("CARGO_PKG_VERSION"),
            "built when first needed, about two minutes on two cores",
        ),
    ]
}

/// The first line of a program's version message, and its path.
fn version(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .output()
        .ok()
        .filter(|o| o.status.success())?;
    let text = String::from_utf8_lossy(if output.stdout.is_empty() {
        &output.stderr
    } else {
        &output.stdout
    })
    .into_owned();
    let line = text.lines().next()?.trim().to_owned();
    match find(program) {
        Some(path) => Some(format!("{line} ({path})")),
        None => Some(line),
    }
}

fn find(program: &str) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let candidate = std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|p: &std::path::PathBuf| Path::is_file(p))?;
    Some(candidate.display().to_string())
}
