//! `pymode demo`: the main job, end to end.

use std::process::ExitCode;
use std::time::Instant;

use pymode_native::{Captured, Exit, Output, Stdin};

use crate::failure::Failure;
use crate::python::Workshop;

/// The packages of the main job.
const PACKAGES: [&str; 2] = ["markupsafe==3.0.4", "simplejson"];

/// Runs in the guest. It fails unless both speedups come from a `.wasm` of their own and are what the packages use.
const PROGRAM: &str = r#"
import sys, importlib.metadata
import markupsafe, markupsafe._speedups as m
import simplejson, simplejson.encoder, simplejson._speedups as s

assert markupsafe._escape_inner is m._escape_inner
assert simplejson.encoder.c_make_encoder is s.make_encoder
assert m.__file__ != s.__file__ and m.__file__.endswith(".wasm") and s.__file__.endswith(".wasm")

print("Python", sys.version.split()[0], "on", sys.platform)
for module in (m, s):
    package = module.__name__.partition(".")[0]
    print(" ", package, importlib.metadata.version(package), module.__file__)
print("  markupsafe.escape ->", markupsafe.escape("<a href='x'> & co"))
print("  simplejson.dumps  ->", simplejson.dumps({"escaped": markupsafe.escape("<>"), "n": [1, 2.5, None]}))
"#;

pub(crate) fn demo() -> Result<ExitCode, Failure> {
    let workshop = Workshop::open()?;
    let sites = workshop.sites(&PACKAGES.map(String::from))?;
    let python = workshop.native()?;
    // The first run compiles for this machine, the second shows what every later one costs.
    for (title, show) in [("first", false), ("second", true)] {
        let output = Captured::new();
        let mut run = python.run();
        for site in &sites {
            run.site(site)?;
        }
        run.args(["-c", PROGRAM])
            .stdin(Stdin::Bytes(Vec::new()))
            .stdout(Output::Capture(output.clone()));
        let start = Instant::now();
        let exit = run.start()?;
        let took = start.elapsed();
        if exit != Exit::Code(0) {
            if let Exit::Fault(fault) = &exit {
                eprintln!("error: {fault}");
            }
            eprintln!("error: the main job failed natively");
            return Ok(ExitCode::FAILURE);
        }
        if show {
            println!("== natively, in wasmtime");
            print!("{}", output.take_text());
        }
        eprintln!(
            "{title} run: {:.0} ms, interpreter start and both imports included",
            took.as_secs_f64() * 1e3
        );
    }
    Ok(ExitCode::SUCCESS)
}
