//! Measures benchmarks and reports results: `cargo run --release -p pymode-bench -- [CASE…]`.
//!
//! A case times a subject and a named baseline in turn, in the same run. Results go to stdout, one JSON line per case. The
//! report is a table of such lines, printed at once or later (`--report FILE`).

mod cases;
mod pair;
mod report;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::cases::{Bench, CASES};
use crate::pair::Sample;

/// Paired timings against a named baseline.
#[derive(Parser)]
#[command(name = "pymode-bench")]
struct Arguments {
    /// Cases to run [default: all]
    cases: Vec<String>,
    /// Number of measured pairs, after one that is not counted
    #[arg(long, default_value_t = 9)]
    runs: usize,
    /// Print a table of the results in a file instead of measuring
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The `pymode` command to measure [default: the one beside this program]
    #[arg(long, value_name = "EXE")]
    pymode: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    if let Some(file) = &arguments.report {
        let text = std::fs::read_to_string(file)
            .map_err(|e| format!("could not read `{}`: {e}", file.display()))?;
        let samples: Vec<Sample> = text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        print!("{}", report::table(&samples));
        return Ok(());
    }
    if let Some(unknown) = arguments
        .cases
        .iter()
        .find(|name| CASES.iter().all(|(known, _)| known != name))
    {
        let known: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "unknown case `{unknown}`\n  hint: use one of {}",
            known.join(", ")
        )
        .into());
    }
    let bench = Bench::open(arguments.pymode.clone(), arguments.runs)?;
    let mut samples = Vec::new();
    for (name, case) in CASES {
        if arguments.cases.is_empty() || arguments.cases.iter().any(|wanted| wanted == name) {
            eprintln!("{name} …");
            for sample in case(&bench)? {
                println!("{}", serde_json::to_string(&sample)?);
                samples.push(sample);
            }
        }
    }
    eprint!("{}", report::table(&samples));
    Ok(())
}
