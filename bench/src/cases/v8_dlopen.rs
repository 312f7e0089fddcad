//! `dlopen` and `dlsym` on V8, in a local workerd, against what the engine itself needs: `new WebAssembly.Instance` with
//! imports that are ready, and reading the instance's exports.
//!
//! Inside a Worker the clock stands still, so batches are timed from outside: one request is one batch.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::time::Instant;

use pymode_dylink::{Config, ContentHash, Contract, ModuleInfo, SetFile};
use pymode_workerd::link;
use pymode_workerd::linker::Linker;
use pymode_workerd::pack::Side;
use pymode_workerd::ticket::ticket;
use serde_json::{Value, json};

use super::{Bench, Outcome};
use crate::pair::Sample;

/// How many symbols a library imports, as markupsafe and numpy do: nine functions to one datum.
const IMPORTS: [usize; 2] = [60, 568];
/// What main exports besides: python.wasm has so many.
const EXPORTS: usize = 2000;
/// How much is done for one figure.
const OPENS: u32 = 100;
const ROUNDS: u32 = 100;
/// Long enough that the request itself does not count.
const CALLS: u32 = 20_000_000;
/// What the library exports.
const SYMBOLS: usize = 100;

pub(crate) fn v8_dlopen(bench: &Bench) -> Outcome {
    let main = main_module()?;
    let main = Side::new(main);
    let info = ModuleInfo::main_from_bytes(&main.wasm)?;
    let set_main = || SetFile::new("main.wasm", main.hash, info.clone());
    let mut modules = BTreeMap::from([(format!("{:?}", main.hash), main.wasm.clone())]);
    let mut libraries = Vec::new();
    for imports in IMPORTS {
        let side = Side::new(side(imports)?);
        let set = SetFile::new("/side.wasm", side.hash, ModuleInfo::from_bytes(&side.wasm)?);
        let link = link::link(set_main(), vec![set], config(), &|_, _| false);
        libraries.push((imports, side.hash, link.plan));
        modules.insert(format!("{:?}", side.hash), side.wasm);
    }
    let linker = Linker::serve(modules)?;
    // The plan is sent once for each library: reading it is not what is timed.
    let sent = Cell::new(None);
    let seconds = |what: Value,
                   by_plan: bool,
                   count: u32,
                   library: &(usize, ContentHash, Vec<u8>)| {
        let (_, side, plan) = library;
        let task = json!({
            "script": "", "what": what, "by_plan": by_plan,
        "plan": if sent.replace(Some(*side)) == Some(*side) { &[] } else { &plan[..] }, "library_path": [],
            "keys": [format!("{:?}", main.hash), format!("{side:?}")],
            "files": [["main.wasm", 0, ticket(main.hash)], ["/side.wasm", 1, ticket(*side)]],
        });
        let task = serde_json::to_vec(&task)?;
        let start = Instant::now();
        let answer = linker.ask(&task)?;
        let seconds = start.elapsed().as_secs_f64() / f64::from(count);
        match serde_json::from_slice(&answer)? {
            Ok::<Value, String>(_) => Ok(seconds),
            Err(error) => Err(Box::<dyn Error>::from(error)),
        }
    };
    let mut samples = Vec::new();
    for library in &libraries {
        let open = |by_plan| seconds(json!({ "Open": OPENS }), by_plan, OPENS, library);
        let bare = || seconds(json!({ "Instantiate": OPENS }), false, OPENS, library);
        let case = format!("v8 dlopen, {} imports, each of {OPENS}", library.0);
        samples.push(Sample {
            case: case.clone(),
            subject: "by the plan".into(),
            baseline: "bare instantiation".into(),
            pairs: pairs(bench.runs, || Ok((open(true)?, bare()?)))?,
        });
        samples.push(Sample {
            case: case.clone(),
            subject: "decided".into(),
            baseline: "bare instantiation".into(),
            pairs: pairs(bench.runs, || Ok((open(false)?, bare()?)))?,
        });
        samples.push(Sample {
            case,
            subject: "by the plan".into(),
            baseline: "decided".into(),
            pairs: pairs(bench.runs, || Ok((open(true)?, open(false)?)))?,
        });
    }
    let count = ROUNDS * SYMBOLS as u32;
    let found = pairs(bench.runs, || {
        Ok((
            seconds(json!({ "Symbols": ROUNDS }), true, count, &libraries[0])?,
            seconds(json!({ "Properties": ROUNDS }), true, count, &libraries[0])?,
        ))
    })?;
    samples.push(Sample {
        case: format!("v8 dlsym, among {SYMBOLS}"),
        subject: "dlsym".into(),
        baseline: "property of the exports".into(),
        pairs: found,
    });
    let pairs = pairs(bench.runs, || {
        Ok((
            seconds(json!({ "Call": CALLS }), true, CALLS, &libraries[0])?,
            seconds(json!({ "CallBare": CALLS }), true, CALLS, &libraries[0])?,
        ))
    })?;
    samples.push(Sample {
        case: "v8 call of a function of main".into(),
        subject: "bound by dlopen".into(),
        baseline: "bare instantiation".into(),
        pairs,
    });
    Ok(samples)
}

/// How the linker of the test Worker is configured.
pub(super) fn config() -> Config {
    Config {
        contract: Some(Contract {
            section: "test.abi".into(),
            version: 7,
        }),
        library_path: Vec::new(),
    }
}

/// One pair is not counted.
fn pairs(
    runs: usize,
    mut pair: impl FnMut() -> Result<(f64, f64), Box<dyn Error>>,
) -> Result<Vec<(f64, f64)>, Box<dyn Error>> {
    pair()?;
    (0..runs).map(|_| pair()).collect()
}

fn main_module() -> Result<Vec<u8>, wat::Error> {
    let mut text = String::from(
        "(module (@custom \"test.abi\" \"\\07\") (memory (export \"memory\") 1)\n\
         (table (export \"__indirect_function_table\") 1 funcref)\n\
         (global (export \"__stack_pointer\") (mut i32) (i32.const 65536))\n\
         (func (export \"malloc\") (param i32) (result i32) (i32.const 1024))\n\
         (func (export \"free\") (param i32))\n",
    );
    for n in 0..EXPORTS {
        let _ = writeln!(
            text,
            "(func (export \"function_{n}\") (param i32) (result i32) (local.get 0))"
        );
        if n % 10 == 0 {
            let _ = writeln!(text, "(global (export \"datum_{n}\") i32 (i32.const 2048))");
        }
    }
    text.push(')');
    wat::parse_str(text)
}

fn side(imports: usize) -> Result<Vec<u8>, wat::Error> {
    // `dylink.0` with a memory-info subsection: 1024 bytes, aligned to 16, no slots.
    let mut text = String::from(
        "(module (@custom \"dylink.0\" (before first) \"\\01\\05\\80\\08\\04\\00\\00\")\n\
         (@custom \"test.abi\" \"\\07\")\n\
         (import \"env\" \"memory\" (memory 0)) (import \"env\" \"__memory_base\" (global i32))\n\
         (import \"env\" \"__table_base\" (global i32))\n\
         (import \"env\" \"__indirect_function_table\" (table 0 funcref))\n",
    );
    for n in 0..imports {
        let _ = match n % 10 {
            0 => writeln!(
                text,
                "(import \"GOT.mem\" \"datum_{n}\" (global (mut i32)))"
            ),
            _ => writeln!(
                text,
                "(import \"env\" \"function_{n}\" (func $function_{n} (param i32) (result i32)))"
            ),
        };
    }
    for n in 0..SYMBOLS {
        let _ = writeln!(
            text,
            "(func (export \"f{n}\") (result i32) (i32.const {n}))"
        );
    }
    text.push_str(
        "(func (export \"across\") (param $left i32) (result i32) (local $sum i32) (loop $again\n\
         (local.set $sum (i32.add (local.get $sum) (call $function_1 (local.get $left))))\n\
         (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))\n\
         (local.get $sum)))",
    );
    wat::parse_str(text)
}
