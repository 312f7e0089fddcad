//! The linker under load on V8, in a local workerd: many libraries, many imports, deep and wide graphs, cycles of open and
//! close, large export lists. The counterpart of `linker` on wasmtime.
//!
//! A Worker's clock stands still while it computes, so steps are timed from outside: each is one request, long enough to hide
//! the cost of the request.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fmt::Write;
use std::time::Instant;

use pymode_dylink::{ModuleInfo, SetFile};
use pymode_workerd::link;
use pymode_workerd::pack::Side;
use pymode_workerd::stub::stub;
use pymode_workerd_linker::Linker;
use serde_json::{Value, json};

use super::library::{Names, library};
use super::linker::Fallible;
use super::v8_dlopen::config;
use super::{Bench, Outcome};
use crate::pair::Sample;

const NAMES: Names = Names {
    imported: "function_",
    exported: "f",
};

/// `RTLD_NOW | RTLD_LOCAL` and `RTLD_NOW | RTLD_GLOBAL` of the guest's libc.
const LOCAL: u32 = 2 | 8;
const GLOBAL: u32 = 2 | 256;
/// Number of functions that a typical library imports.
const IMPORTS: usize = 60;
/// Number of functions that main exports, except for the library that imports more.
const FUNCTIONS: usize = 2000;
const MOST_IMPORTS: usize = 10_000;
/// The Worker's name of a library that it copies, and the maximum number of copies.
const SIDE: &str = "/side.wasm";
const COPIES: usize = 1500;
/// Number of libraries in a graph.
const GRAPH: usize = 200;
/// Number of cycles of open and close, and of those timed together.
const CYCLES: u32 = 100_000;
const CYCLES_TIMED: u32 = 1000;

pub(crate) fn v8_linker(bench: &Bench) -> Outcome {
    let worker = Worker::start()?;
    let runs = bench.runs.min(9);
    let mut samples = Vec::new();
    let mut sample = |case: &str,
                      [subject, baseline]: [&str; 2],
                      pair: &mut dyn FnMut() -> Fallible<(f64, f64)>| {
        pair()?;
        samples.push(Sample {
            case: format!("v8 {case}"),
            subject: subject.into(),
            baseline: baseline.into(),
            pairs: (0..runs).map(|_| pair()).collect::<Fallible<_>>()?,
        });
        Ok::<_, Box<dyn Error>>(())
    };
    let common = worker.library(IMPORTS)?;
    for libraries in [1, 10, 100, 1000] {
        let processes = 1000 / libraries;
        let count = f64::from(processes * libraries);
        sample(
            &format!("dlopen, processes of {libraries} libraries, {IMPORTS} imports"),
            ["dlopen", "bare instantiation"],
            &mut || {
                let linked = json!({ "Processes": [processes, libraries, LOCAL] });
                let bare = json!({ "BareProcesses": [processes, libraries] });
                Ok((
                    worker.time(common, &linked)? / count,
                    worker.time(common, &bare)? / count,
                ))
            },
        )?;
    }
    for (how, flags) in [("", LOCAL), (" with RTLD_GLOBAL", GLOBAL)] {
        sample(
            &format!("one dlopen with 1000 libraries loaded{how}, {IMPORTS} imports"),
            ["among many", "alone"],
            &mut || worker.among(common, 1000, flags),
        )?;
    }
    for imports in [10, 100, 1000, MOST_IMPORTS] {
        let library = worker.library(imports)?;
        let count = (20_000 / imports).clamp(10, 500) as u32;
        sample(
            &format!("dlopen of a library with {imports} imports"),
            ["dlopen", "bare instantiation"],
            &mut || {
                let linked = worker.time(library, &json!({ "Open": count }))?;
                let bare = worker.time(library, &json!({ "Instantiate": count }))?;
                Ok((linked / f64::from(count), bare / f64::from(count)))
            },
        )?;
    }
    for (case, graph) in [
        ("a chain of 200 libraries, one dlopen", &worker.chain),
        ("a library that needs 200 others", &worker.wide),
    ] {
        sample(case, ["one by need", "one by one"], &mut || {
            worker.graph(graph)
        })?;
    }
    sample("reopening a library", ["reopen", "first open"], &mut || {
        worker.reopening(common)
    })?;
    sample(
        "dlsym among 10,000 exports",
        ["of 10,000", "of 10"],
        &mut || worker.symbols(),
    )?;
    // Each takes many seconds and prints its memory use.
    let pairs = (0..runs.min(3)).map(|_| worker.cycles(common));
    samples.push(Sample {
        case: format!("v8 open and close, the last {CYCLES_TIMED} of {CYCLES} cycles"),
        subject: "last".into(),
        baseline: "first 1000".into(),
        pairs: pairs.collect::<Fallible<_>>()?,
    });
    Ok(samples)
}

/// A library or a graph of libraries: the files of a process, the keys of their code, and their metadata.
struct Set {
    files: Vec<Value>,
    keys: Vec<String>,
    plan: Vec<u8>,
    /// Number that no other set has.
    number: usize,
}

struct Worker {
    linker: Linker,
    /// Libraries by their number of imports.
    libraries: BTreeMap<usize, Set>,
    chain: Set,
    wide: Set,
    /// Parts of the graphs, without their dependencies.
    loose: Set,
    few: Set,
    many: Set,
    /// The set whose plan was sent.
    sent: RefCell<HashSet<usize>>,
    /// The set of the process that stays.
    begun: Cell<usize>,
}

impl Worker {
    fn start() -> Fallible<Worker> {
        let mut modules = BTreeMap::new();
        let mut sets = 0;
        let mut set = |functions: usize, libraries: &[(String, Vec<u8>)]| -> Fallible<Set> {
            let main = main_module(functions)?;
            let info = ModuleInfo::main_from_bytes(&main)?;
            let mut set = Set {
                files: Vec::new(),
                keys: Vec::new(),
                plan: Vec::new(),
                number: sets,
            };
            sets += 1;
            let mut add = |path: &str, wasm: Vec<u8>| {
                let side = Side::new(wasm);
                let key = format!("{:?}", side.hash);
                set.files
                    .push(json!([path, set.files.len(), stub(side.hash)]));
                set.keys.push(key.clone());
                modules.insert(key, side.wasm);
                side.hash
            };
            let main = SetFile::new("main.wasm", add("main.wasm", main), info);
            let mut sides = Vec::new();
            for (path, wasm) in libraries {
                let info = ModuleInfo::from_bytes(wasm)?;
                let mut file = SetFile::new(path, add(path, wasm.clone()), info);
                if path == SIDE {
                    file.aliases = (0..COPIES).map(|at| format!("/{at}.so")).collect();
                }
                sides.push(file);
            }
            set.keys.sort();
            set.keys.dedup();
            set.plan = link::link(main, sides, config(), &|_, _| false).plan;
            Ok(set)
        };
        let one = |wasm: Vec<u8>| [(SIDE.to_owned(), wasm)];
        let mut libraries = BTreeMap::new();
        for imports in [10, IMPORTS, 100, 1000, MOST_IMPORTS] {
            let functions = imports.max(FUNCTIONS);
            libraries.insert(
                imports,
                set(functions, &one(library(&NAMES, imports, 4, &[])?))?,
            );
        }
        let graph = |needs: fn(usize) -> Vec<usize>| -> Fallible<Vec<(String, Vec<u8>)>> {
            let library = |at| {
                Ok((
                    format!("/{at}.so"),
                    library(&NAMES, IMPORTS, 0, &needs(at))?,
                ))
            };
            (0..GRAPH).map(library).collect()
        };
        let chain = set(FUNCTIONS, &graph(|at| (at + 1..GRAPH).take(1).collect())?)?;
        let wide = set(
            FUNCTIONS,
            &graph(|at| match at {
                0 => (1..GRAPH).collect(),
                _ => Vec::new(),
            })?,
        )?;
        let loose = set(FUNCTIONS, &graph(|_| Vec::new())?)?;
        let few = set(FUNCTIONS, &one(library(&NAMES, IMPORTS, 10, &[])?))?;
        let many = set(FUNCTIONS, &one(library(&NAMES, IMPORTS, 10_000, &[])?))?;
        Ok(Worker {
            linker: Linker::serve(modules)?,
            libraries,
            chain,
            wide,
            loose,
            few,
            many,
            sent: RefCell::default(),
            begun: Cell::default(),
        })
    }

    fn library(&self, imports: usize) -> Fallible<&Set> {
        Ok(self.libraries.get(&imports).ok_or("no such library")?)
    }

    /// Runs a task with a set. Returns the seconds, and the sizes afterwards.
    fn ask(&self, set: &Set, what: &Value) -> Fallible<(f64, Value)> {
        // The plan is sent once and read in a pair that is not counted, so it is not timed.
        let plan = match self.sent.borrow_mut().insert(set.number) {
            true => &set.plan[..],
            false => &[],
        };
        self.task(set.number, &set.files, &set.keys, plan, what)
    }

    fn task(
        &self,
        set: usize,
        files: &[Value],
        keys: &[String],
        plan: &[u8],
        what: &Value,
    ) -> Fallible<(f64, Value)> {
        let task = json!({
            "script": "", "what": what, "by_plan": true, "set": set, "plan": plan,
            "library_path": [], "keys": keys, "files": files,
        });
        let task = serde_json::to_vec(&task)?;
        let start = Instant::now();
        let answer = self.linker.ask(&task)?;
        let seconds = start.elapsed().as_secs_f64();
        match serde_json::from_slice(&answer)? {
            Ok::<Value, String>(mut said) => Ok((seconds, said["sizes"].take())),
            Err(error) => Err(error.into()),
        }
    }

    fn time(&self, set: &Set, what: &Value) -> Fallible<f64> {
        Ok(self.ask(set, what)?.0)
    }

    /// A step of the process that stays.
    fn step(&self, step: &Value) -> Fallible<(f64, Value)> {
        let set = self.begun.get();
        self.task(set, &[], &[], &[], &json!({ "Step": step }))
    }

    fn begin(&self, set: &Set, copies: usize) -> Fallible<()> {
        let begin = json!({ "Step": { "Begin": { "copies": copies } } });
        self.begun.set(set.number);
        self.ask(set, &begin).map(drop)
    }

    /// Seconds per library.
    fn open(&self, first: usize, count: usize, flags: u32) -> Fallible<f64> {
        let open = json!({ "Open": { "first": first, "count": count, "flags": flags } });
        Ok(self.step(&open)?.0 / count as f64)
    }

    /// Seconds for one `dlopen` after `loaded` others, and among the first.
    fn among(&self, set: &Set, loaded: usize, flags: u32) -> Fallible<(f64, f64)> {
        const TIMED: usize = 200;
        self.begin(set, loaded + 2 * TIMED)?;
        let first = self.open(0, TIMED, flags)?;
        self.open(TIMED, loaded - TIMED, flags)?;
        Ok((self.open(loaded, TIMED, flags)?, first))
    }

    /// Seconds per library: loaded as a dependency, and loaded by itself.
    fn graph(&self, graph: &Set) -> Fallible<(f64, f64)> {
        let ready = |set: &Set| -> Fallible<()> {
            self.begin(set, 0)?;
            // Described once, so that only linking is timed.
            self.open(0, GRAPH, LOCAL)?;
            self.step(&json!("CloseAll")).map(drop)
        };
        ready(graph)?;
        let together = self.open(0, 1, LOCAL)? / GRAPH as f64;
        ready(&self.loose)?;
        Ok((together, self.open(0, GRAPH, LOCAL)?))
    }

    fn reopening(&self, set: &Set) -> Fallible<(f64, f64)> {
        const FIRST: usize = 500;
        const AGAIN: u32 = 50_000;
        self.begin(set, FIRST)?;
        let first = self.open(0, FIRST, LOCAL)?;
        let again = json!({ "Again": { "count": AGAIN, "flags": LOCAL } });
        Ok((self.step(&again)?.0 / f64::from(AGAIN), first))
    }

    /// Seconds per cycle among the last thousand, and among the first. Prints the memory use.
    fn cycles(&self, set: &Set) -> Fallible<(f64, f64)> {
        let cycle = |count: u32| {
            let (seconds, sizes) =
                self.step(&json!({ "Cycles": { "count": count, "flags": LOCAL } }))?;
            Ok::<_, Box<dyn Error>>((seconds / f64::from(count), sizes))
        };
        self.begin(set, 1)?;
        cycle(CYCLES_TIMED)?;
        let (resident, (first, before)) = (self.linker.resident(), cycle(CYCLES_TIMED)?);
        // In parts: the engine collects garbage between two requests, as in a Worker that serves.
        for _ in 0..CYCLES / CYCLES_TIMED - 2 {
            cycle(CYCLES_TIMED)?;
        }
        let (last, after) = cycle(CYCLES_TIMED)?;
        let grown = |what: &str| after[what].as_u64().zip(before[what].as_u64());
        let grown = |what: &str| grown(what).map_or(0, |(after, before)| after - before);
        eprintln!(
            "  {CYCLES} cycles: the table grew by {} slots, the guest's memory by {} pages, the linker's by {}, workerd by {:.1} MB",
            grown("slots"),
            grown("pages"),
            grown("host_pages"),
            self.linker.resident().saturating_sub(resident) as f64 / 1e6,
        );
        Ok((last, first))
    }

    /// Seconds for one `dlsym` of a library with many exports, and of one with few.
    fn symbols(&self) -> Fallible<(f64, f64)> {
        const TIMED: u32 = 50_000;
        let found = |set: &Set, exports: u32| {
            self.begin(set, 1)?;
            self.open(0, 1, LOCAL)?;
            let ask = json!({ "Symbols": { "exports": exports, "count": TIMED } });
            // Each symbol has a slot by now.
            self.step(&ask)?;
            Ok::<_, Box<dyn Error>>(self.step(&ask)?.0 / f64::from(TIMED))
        };
        Ok((found(&self.many, 10_000)?, found(&self.few, 10)?))
    }
}

/// A main module with this number of exports, and an allocator that reuses the block that was freed last.
fn main_module(functions: usize) -> Result<Vec<u8>, wat::Error> {
    let mut text = String::from(
        r#"(module (@custom "test.abi" "\07") (memory (export "memory") 512)
         (table (export "__indirect_function_table") 2048 funcref)
         (global (export "__stack_pointer") (mut i32) (i32.const 65536))
         (global $end (mut i32) (i32.const 131072)) (global $free (mut i32) (i32.const 0))
         (func (export "malloc") (param i32) (result i32) (local i32)
           (if (global.get $free) (then
             (local.set 1 (global.get $free)) (global.set $free (i32.const 0)) (return (local.get 1))))
           (local.set 1 (global.get $end))
           (global.set $end (i32.and (i32.add (i32.add (global.get $end) (local.get 0)) (i32.const 31)) (i32.const -16)))
           (local.get 1))
         (func (export "free") (param i32) (global.set $free (local.get 0)))
"#,
    );
    for at in 0..functions {
        let _ = writeln!(
            text,
            "(func (export \"function_{at}\") (param i32) (result i32) (local.get 0))"
        );
    }
    text.push(')');
    wat::parse_str(text)
}
