//! `pymode demo`: the main job, end to end, on both engines.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use pymode_native::{Captured, Exit, Output, Stdin};
use pymode_workerd::{Project, Settings};

use crate::failure::Failure;
use crate::python::Workshop;

/// The packages of the main job.
const PACKAGES: [&str; 2] = ["markupsafe==3.0.4", "simplejson"];

/// The job, and the entry of a Worker that does it. It fails unless both packages use what their side modules give them.
const MODULES: [(&str, &str); 2] = [
    ("job.py", include_str!("../demo/job.py")),
    ("entry.py", include_str!("../demo/entry.py")),
];

pub(crate) fn demo() -> Result<ExitCode, Failure> {
    let workshop = Workshop::open()?;
    let sites = workshop.sites(&PACKAGES.map(String::from))?;
    let sources = tempfile::tempdir()?;
    for (name, text) in MODULES {
        let path = sources.path().join(name);
        std::fs::write(&path, text).map_err(|e| Failure::file("write", &path, &e))?;
    }
    natively(&workshop, &sites, sources.path())?;
    in_a_worker(&workshop, &sites, sources.path())?;
    Ok(ExitCode::SUCCESS)
}

fn natively(workshop: &Workshop, sites: &[PathBuf], sources: &Path) -> Result<(), Failure> {
    let python = workshop.native()?;
    // The first run compiles for this machine, the second shows what every later one costs.
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
                Exit::Fault(fault) => format!(": {fault}"),
                _ => String::new(),
            };
            return Err(Failure::new(format!("the main job failed natively{fault}")));
        }
        answer = output.take_text();
    }
    println!("== natively, in wasmtime\n{}", answer.trim_end());
    tell(
        &took,
        ["first run", "second run"],
        "interpreter start and both imports included",
    );
    Ok(())
}

fn in_a_worker(workshop: &Workshop, sites: &[PathBuf], sources: &Path) -> Result<(), Failure> {
    let python = workshop.worker()?;
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
    let bundle = python.bundle(&workshop.python.native, &project, &packed)?;

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
    tell(
        &took,
        ["first answer", "second answer"],
        "the first one with the start of workerd and of the interpreter, and both imports",
    );
    Ok(())
}

fn tell(took: &[Duration], names: [&str; 2], note: &str) {
    let times: Vec<String> = names
        .iter()
        .zip(took)
        .map(|(name, took)| format!("{name}: {:.1} ms", took.as_secs_f64() * 1e3))
        .collect();
    println!("  {} ({note})", times.join(", "));
}
