//! `pymode demo`: two packages with C code, end to end, on both engines.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use pymode_native::{Captured, Exit, Output, Stdin};
use pymode_workerd::{Project, Settings};

use crate::failure::Failure;
use crate::python::Context;

/// The packages of the demo.
const PACKAGES: [&str; 2] = ["markupsafe==3.0.4", "simplejson"];

/// The job, and a Worker that runs it. It fails unless both packages use their side modules.
const MODULES: [(&str, &str); 2] = [
    ("job.py", include_str!("../demo/job.py")),
    ("entry.py", include_str!("../demo/entry.py")),
];

pub(crate) fn demo() -> Result<ExitCode, Failure> {
    let context = Context::open()?;
    let sites = context.sites(&PACKAGES.map(String::from))?;
    let sources = tempfile::tempdir()?;
    for (name, text) in MODULES {
        let path = sources.path().join(name);
        std::fs::write(&path, text).map_err(|e| Failure::file("write", &path, &e))?;
    }
    natively(&context, &sites, sources.path())?;
    in_a_worker(&context, &sites, sources.path())?;
    Ok(ExitCode::SUCCESS)
}

fn natively(context: &Context, sites: &[PathBuf], sources: &Path) -> Result<(), Failure> {
    let python = context.native()?;
    // The first run compiles for this machine; the second shows the cost of every later one.
    let mut answer = String::new();
    let mut took = Vec::new();
    for _ in 0..2 {
        let output = Captured::new();
        let mut run = python.run();
        run.site(sources)?;
        for site in sites {
            run.site(site)?;
        }
        run.args(["-c", "import job; print(job.report())"])
            .stdin(Stdin::Bytes(Vec::new()))
            .stdout(Output::Capture(output.clone()));
        let start = Instant::now();
        let exit = run.start()?;
        took.push(start.elapsed());
        if exit != Exit::Code(0) {
            let fault = match &exit {
                Exit::Failure(fault) => format!(": {fault}"),
                _ => String::new(),
            };
            return Err(Failure::new(format!("the demo failed natively{fault}")));
        }
        answer = output.take_text();
    }
    println!("== natively, in wasmtime\n{}", answer.trim_end());
    print_times(
        &took,
        ["first run", "second run"],
        "includes the start of the interpreter and both imports",
    );
    Ok(())
}

fn in_a_worker(context: &Context, sites: &[PathBuf], sources: &Path) -> Result<(), Failure> {
    let python = context.worker()?;
    let settings = Settings::default();
    let project = Project {
        sources,
        sites,
        settings: &settings,
        development: true,
        traces_loads: false,
    };
    let scratch = tempfile::tempdir_in(python.scratch())?;
    let packed = scratch.path().join("packed");
    let bundle = python.bundle(&context.python.native, &project, &packed)?;

    let start = Instant::now();
    let workerd = python.serve(&bundle, &scratch.path().join("bundle"))?;
    let url = format!("http://{}/", workerd.address());
    let mut took = Vec::new();
    let mut answer = String::new();
    for _ in 0..2 {
        let asked = if took.is_empty() {
            start
        } else {
            Instant::now()
        };
        answer.clear();
        workerd.open("/", b"")?.read_to_string(&mut answer)?;
        took.push(asked.elapsed());
    }
    println!("== in a Durable Object, in workerd: POST {url}\n{answer}");
    print_times(
        &took,
        ["first answer", "second answer"],
        "the first one includes the start of workerd and of the interpreter, and both imports",
    );
    Ok(())
}

fn print_times(took: &[Duration], names: [&str; 2], note: &str) {
    let times: Vec<String> = names
        .iter()
        .zip(took)
        .map(|(name, took)| format!("{name}: {:.1} ms", took.as_secs_f64() * 1e3))
        .collect();
    println!("  {} ({note})", times.join(", "));
}
