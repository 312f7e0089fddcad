//! `dlopen` and `dlsym` on V8, in a local workerd, against the engine alone: `new WebAssembly.Instance` with prepared imports,
//! and a read of the instance's exports.
//!
//! A Worker's clock stands still while it computes, so batches are timed from outside: one request is one batch.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fmt::Write;
use std::time::Instant;

use pymode_dylink::{Config, ContentHash, Contract, ModuleInfo, SetFile};
use pymode_dylink_rewrite::{ClosedSet, Kinds};
use pymode_workerd::link;
use pymode_workerd::pack::Side;
use pymode_workerd::stub::stub;
use pymode_workerd_linker::Linker;
use serde_json::{Value, json};

use super::{Bench, Outcome};
use crate::pair::Sample;

/// Numbers of imported symbols, about markupsafe's and numpy's: nine functions for each datum.
const IMPORTS: [usize; 2] = [60, 568];
/// Number of other exports of main, as in python.wasm.
const EXPORTS: usize = 2000;
/// Number of operations per measurement.
const OPENS: u32 = 100;
const ROUNDS: u32 = 100;
/// Large enough to hide the cost of the request.
const CALLS: u32 = 20_000_000;
/// Number of exports of the library.
const SYMBOLS: usize = 100;

/// The parts of a library.
#[derive(Clone, Copy, Default)]
struct Shape {
    /// Functions imported from main; one datum is imported for each nine.
    imports: usize,
    /// Data of its own that it reaches through the GOT.
    data: usize,
    /// Functions of main whose slots it imports.
    slots: usize,
    /// Weak functions of its own.
    weak: usize,
    /// Exported functions.
    exports: usize,
}

/// A library and its main module, ready to be sent.
struct Library {
    number: usize,
    file: ContentHash,
    code: ContentHash,
    plan: Vec<u8>,
}

const NO_KIND: Kinds = Kinds {
    addresses: false,
    functions: false,
    exports: false,
};

struct Worker {
    linker: Linker,
    main: ContentHash,
    /// The library whose plan was sent. Plans are sent once and are not timed.
    sent: RefCell<HashSet<usize>>,
}

pub(crate) fn v8_dlopen(bench: &Bench) -> Outcome {
    let main = Side::new(main_module()?);
    let mut modules = BTreeMap::from([(format!("{:?}", main.hash), main.wasm.clone())]);
    let mut number = 0;
    let mut library = |shape: Shape, kinds: Kinds| {
        number += 1;
        Library::new(number, &main, shape, kinds, &mut modules)
    };
    let common = |imports| Shape {
        imports,
        exports: SYMBOLS,
        ..Shape::default()
    };
    let mut libraries = Vec::new();
    for imports in IMPORTS {
        let as_it_is = library(common(imports), NO_KIND)?;
        libraries.push((imports, as_it_is, library(common(imports), Kinds::ALL)?));
    }
    let mut kinds = Vec::new();
    for (what, shape, kind) in rewritings() {
        kinds.push((what, library(shape, NO_KIND)?, library(shape, kind)?));
    }
    let worker = Worker {
        linker: Linker::serve(modules)?,
        main: main.hash,
        sent: RefCell::default(),
    };
    let open = |library: &Library, by_plan| {
        worker.seconds(json!({ "Open": OPENS }), by_plan, OPENS, library)
    };
    let mut samples = Vec::new();
    for (imports, as_it_is, rewritten) in &libraries {
        let bare = || {
            let what = json!({ "Instantiate": OPENS });
            worker.seconds(what, false, OPENS, as_it_is)
        };
        let late = || {
            let what = json!({ "OpenLate": OPENS });
            worker.seconds(what, true, OPENS, as_it_is)
        };
        let mut sample =
            |subject: &str,
             baseline: &str,
             pair: &dyn Fn() -> Result<(f64, f64), Box<dyn Error>>| {
                samples.push(Sample {
                    case: format!("v8 dlopen, {imports} imports, each of {OPENS}"),
                    subject: subject.into(),
                    baseline: baseline.into(),
                    pairs: pairs(bench.runs, pair)?,
                });
                Ok::<_, Box<dyn Error>>(())
            };
        let instance = "bare instantiation";
        sample("rewritten, by the plan", instance, &|| {
            Ok((open(rewritten, true)?, bare()?))
        })?;
        sample("by the plan", instance, &|| {
            Ok((open(as_it_is, true)?, bare()?))
        })?;
        sample("after another with RTLD_GLOBAL", instance, &|| {
            Ok((late()?, bare()?))
        })?;
        sample("decided", instance, &|| {
            Ok((open(as_it_is, false)?, bare()?))
        })?;
        sample("by the plan", "decided", &|| {
            Ok((open(as_it_is, true)?, open(as_it_is, false)?))
        })?;
    }
    for (what, as_it_is, rewritten) in &kinds {
        samples.push(Sample {
            case: format!("v8 dlopen by the plan, {what}"),
            subject: "rewritten".into(),
            baseline: "as it is".into(),
            pairs: pairs(bench.runs, || {
                Ok((open(rewritten, true)?, open(as_it_is, true)?))
            })?,
        });
    }
    let first = &libraries[0].1;
    let count = ROUNDS * SYMBOLS as u32;
    let found = pairs(bench.runs, || {
        Ok((
            worker.seconds(json!({ "Symbols": ROUNDS }), true, count, first)?,
            worker.seconds(json!({ "Properties": ROUNDS }), true, count, first)?,
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
            worker.seconds(json!({ "Call": CALLS }), true, CALLS, first)?,
            worker.seconds(json!({ "CallBare": CALLS }), true, CALLS, first)?,
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

/// Each kind of rewriting by itself, for a library that it changes.
fn rewritings() -> [(&'static str, Shape, Kinds); 5] {
    let addresses = Kinds {
        addresses: true,
        ..NO_KIND
    };
    let small = Shape {
        imports: 60,
        exports: 1,
        ..Shape::default()
    };
    [
        (
            "57 addresses of main's data",
            Shape {
                imports: 568,
                ..small
            },
            addresses,
        ),
        (
            "20 addresses of its own data",
            Shape { data: 20, ..small },
            addresses,
        ),
        (
            "20 slots of main's functions",
            Shape { slots: 20, ..small },
            addresses,
        ),
        (
            "3 weak functions of its own",
            Shape { weak: 3, ..small },
            Kinds {
                functions: true,
                ..NO_KIND
            },
        ),
        (
            "100 unused exports",
            Shape {
                exports: SYMBOLS,
                ..small
            },
            Kinds {
                exports: true,
                ..NO_KIND
            },
        ),
    ]
}

impl Library {
    fn new(
        number: usize,
        main: &Side,
        shape: Shape,
        kinds: Kinds,
        modules: &mut BTreeMap<String, Vec<u8>>,
    ) -> Result<Library, Box<dyn Error>> {
        let of_main = ModuleInfo::main_from_bytes(&main.wasm)?;
        let whole = side(shape)?;
        let info = ModuleInfo::from_bytes(&whole)?;
        let rewrites = ClosedSet {
            main: &of_main,
            sides: &[&info],
            asks: &|name| name.starts_with("PyInit_"),
            kinds,
        }
        .rewrites();
        let code = Side::new(rewrites[0].apply(&whole)?);
        let file = Side::new(whole);
        let file = SetFile::new("/side.wasm", file.hash, info)
            .compiled_from(code.hash, ModuleInfo::from_bytes(&code.wasm)?);
        let hash = file.hash;
        let of_main = SetFile::new("main.wasm", main.hash, of_main);
        let link = link::link(of_main, vec![file], config(), &|_, _| false);
        modules.insert(format!("{:?}", code.hash), code.wasm);
        if let Some(forwarders) = link.forwarders {
            modules.insert(format!("{:?}", forwarders.hash), forwarders.wasm);
        }
        Ok(Library {
            number,
            file: hash,
            code: code.hash,
            plan: link.plan,
        })
    }
}

impl Worker {
    fn seconds(
        &self,
        what: Value,
        by_plan: bool,
        count: u32,
        library: &Library,
    ) -> Result<f64, Box<dyn Error>> {
        let Library { file, code, .. } = library;
        let plan = match self.sent.borrow_mut().insert(library.number) {
            true => &library.plan[..],
            false => &[],
        };
        let mut keys = vec![format!("{:?}", self.main), format!("{code:?}")];
        let forwarders = pymode_dylink::Plan::from_bytes(&library.plan)?.common_thunks();
        keys.extend(forwarders.map(|(hash, _)| format!("{hash:?}")));
        let task = json!({
            "script": "", "what": what, "by_plan": by_plan, "set": library.number, "plan": plan,
            "library_path": [], "keys": keys,
            "files": [["main.wasm", 0, stub(self.main)], ["/side.wasm", 1, stub(*file)]],
        });
        let task = serde_json::to_vec(&task)?;
        let start = Instant::now();
        let answer = self.linker.ask(&task)?;
        let seconds = start.elapsed().as_secs_f64() / f64::from(count);
        match serde_json::from_slice(&answer)? {
            Ok::<Value, String>(_) => Ok(seconds),
            Err(error) => Err(Box::<dyn Error>::from(error)),
        }
    }
}

/// Configuration of the linker in the test Worker.
pub(super) fn config() -> Config {
    Config {
        contract: Some(Contract {
            section: "test.abi".into(),
            version: 7,
            hint: "build it again".into(),
        }),
        ..Config::default()
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
         (table (export \"__indirect_function_table\") 2001 funcref)\n\
         (global (export \"__stack_pointer\") (mut i32) (i32.const 65536))\n\
         (func (export \"malloc\") (param i32) (result i32) (i32.const 1024))\n\
         (func (export \"free\") (param i32))\n",
    );
    let mut slots = String::new();
    for n in 0..EXPORTS {
        let _ = writeln!(
            text,
            "(func $f{n} (export \"function_{n}\") (param i32) (result i32) (local.get 0))"
        );
        let _ = write!(slots, " $f{n}");
        if n % 10 == 0 {
            let _ = writeln!(text, "(global (export \"datum_{n}\") i32 (i32.const 2048))");
        }
    }
    let _ = write!(text, "(elem (i32.const 1) func{slots}))");
    wat::parse_str(text)
}

fn side(shape: Shape) -> Result<Vec<u8>, wat::Error> {
    let Shape { weak, data, .. } = shape;
    let mut text = format!(
        "(module (@dylink.0 (mem-info (memory 1024 4) (table {weak} 0)))\n\
         (@custom \"test.abi\" \"\\07\")\n\
         (import \"env\" \"memory\" (memory 0)) (import \"env\" \"__memory_base\" (global i32))\n\
         (import \"env\" \"__table_base\" (global $tb i32))\n\
         (import \"env\" \"__indirect_function_table\" (table 0 funcref))\n"
    );
    for n in 0..shape.imports {
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
    for n in 0..weak {
        let _ = writeln!(text, "(import \"env\" \"weak_{n}\" (func (result i32)))");
    }
    for n in 0..data {
        let _ = writeln!(text, "(import \"GOT.mem\" \"own_{n}\" (global (mut i32)))");
    }
    for n in 0..shape.slots {
        let _ = writeln!(
            text,
            "(import \"GOT.func\" \"function_{n}\" (global (mut i32)))"
        );
    }
    let mut slots = String::new();
    for n in 0..weak {
        let _ = writeln!(
            text,
            "(func $weak_{n} (export \"weak_{n}\") (result i32) (i32.const {n}))"
        );
        let _ = write!(slots, " $weak_{n}");
    }
    if weak > 0 {
        let _ = writeln!(text, "(elem (global.get $tb) func{slots})");
    }
    for n in 0..data {
        let _ = writeln!(
            text,
            "(global (export \"own_{n}\") i32 (i32.const {}))",
            4 * n
        );
    }
    for n in 0..shape.exports {
        let _ = writeln!(
            text,
            "(func (export \"f{n}\") (result i32) (i32.const {n}))"
        );
    }
    text.push_str(
        "(func (export \"PyInit_side\") (result i32) (i32.const 0))\n\
         (func (export \"across\") (param $left i32) (result i32) (local $sum i32) (loop $again\n\
         (local.set $sum (i32.add (local.get $sum) (call $function_1 (local.get $left))))\n\
         (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))\n\
         (local.get $sum)))",
    );
    wat::parse_str(text)
}
