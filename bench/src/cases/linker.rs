//! The linker under load: many libraries, many imports, deep and wide graphs, cycles of open and close, large export lists,
//! plans, and glibc's `dlopen` of the same C libraries on this machine.
//!
//! Compiled code is in memory before the measurement: the times are the linker's and the engine's, not the compiler's.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use pymode_dylink::dlfcn;
use pymode_dylink_wasmtime::WasmtimeEngine;
use pymode_toolchain::cc::{self, Language};
use wasmtime::{Module, Store};

use super::library::{Names, library};
use super::world::{World, close, open};
use super::{Bench, Outcome};
use crate::pair::Sample;

const NAMES: Names = Names {
    imported: "f",
    exported: "x",
};

/// `RTLD_NOW | RTLD_LOCAL` of the guest's libc.
const FLAGS: u32 = 2 | 8;
/// Number of functions that a typical library imports.
const IMPORTS: usize = 60;

pub(super) type Fallible<T> = Result<T, Box<dyn Error>>;

pub(crate) fn linker(bench: &Bench) -> Outcome {
    let pairs = bench.runs.min(5);
    let sample =
        |case: &str, subject: &str, baseline: &str, pair: &dyn Fn() -> Fallible<(f64, f64)>| {
            pair()?;
            let pairs = (0..pairs).map(|_| pair()).collect::<Fallible<_>>()?;
            Ok::<_, Box<dyn Error>>(Sample {
                case: case.into(),
                subject: subject.into(),
                baseline: baseline.into(),
                pairs,
            })
        };
    let mut samples = Vec::new();
    for loaded in [10, 100, 1000] {
        samples.push(sample(
            &format!("one dlopen with {loaded} libraries loaded, {IMPORTS} imports"),
            "among many",
            "alone",
            &|| among(loaded, false),
        )?);
    }
    samples.push(sample(
        "one dlopen with 1000 global libraries loaded",
        "among many",
        "alone",
        &|| among(1000, true),
    )?);
    for imports in [10, 100, 1000, 10_000] {
        samples.push(sample(
            &format!("dlopen of a library with {imports} imports"),
            "dlopen",
            "bare instantiation",
            &|| against_bare(imports),
        )?);
    }
    for (name, needs) in [
        (
            "a chain of 200 libraries, one dlopen",
            chain as fn(usize) -> Vec<usize>,
        ),
        ("a library that needs 200 others", wide),
    ] {
        samples.push(sample(name, "one by need", "one by one", &|| graph(needs))?);
    }
    samples.push(sample(
        "reopening a library",
        "reopen",
        "first open",
        &reopening,
    )?);
    samples.push(sample(
        "open and close, the last 1000 of 100,000 cycles",
        "last",
        "first 1000",
        &|| cycles(100_000),
    )?);
    samples.push(sample(
        "dlsym among 10,000 exports",
        "of 10,000",
        "of 10",
        &symbols,
    )?);
    for imports in [IMPORTS, 568] {
        samples.push(sample(
            &format!("dlopen by a plan, {imports} imports"),
            "by the plan",
            "decided",
            &|| planned(imports),
        )?);
    }
    let folder = tempfile::tempdir()?;
    build_c(folder.path())?;
    samples.push(sample(
        "dlopen of 50 C libraries, 60 imports",
        "wasmtime",
        "glibc",
        &|| against_glibc(folder.path()),
    )?);
    Ok(samples)
}

/// Seconds for one `dlopen` after `loaded` others, and among the first.
fn among(loaded: usize, global: bool) -> Fallible<(f64, f64)> {
    const TIMED: usize = 50;
    let mut world = World::new(IMPORTS)?;
    let library = library(&NAMES, IMPORTS, 0, &[])?;
    for at in 0..loaded + 2 * TIMED {
        world.file(&format!("/{at}.so"), library.clone());
    }
    let flags = if global { 2 | 256 } else { FLAGS };
    let mut store = world.start()?;
    open(&mut store, "/0.so", flags)?;
    let mut next = 1;
    let mut some = |store: &mut Store<World>, count: usize| -> Fallible<f64> {
        let start = Instant::now();
        for _ in 0..count {
            open(store, &format!("/{next}.so"), flags)?;
            next += 1;
        }
        Ok(start.elapsed().as_secs_f64() / count as f64)
    };
    let first = some(&mut store, TIMED.min(loaded))?;
    some(&mut store, loaded.saturating_sub(TIMED))?;
    Ok((some(&mut store, TIMED)?, first))
}

/// Seconds for one `dlopen`, and for one instantiation with prepared imports.
fn against_bare(imports: usize) -> Fallible<(f64, f64)> {
    const TIMED: usize = 20;
    let mut world = World::new(imports)?;
    let library = library(&NAMES, imports, 0, &[])?;
    for at in 0..=TIMED {
        world.file(&format!("/{at}.so"), library.clone());
    }
    let mut store = world.start()?;
    open(&mut store, "/0.so", FLAGS)?;
    let start = Instant::now();
    for at in 1..=TIMED {
        open(&mut store, &format!("/{at}.so"), FLAGS)?;
    }
    let linked = start.elapsed().as_secs_f64() / TIMED as f64;

    let module = Module::new(store.engine(), &library)?;
    let main = store.data().main.ok_or("main is not loaded")?;
    let base = wasmtime::GlobalType::new(wasmtime::ValType::I32, wasmtime::Mutability::Const);
    let base = wasmtime::Global::new(&mut store, base, wasmtime::Val::I32(0))?;
    let ready: Vec<wasmtime::Extern> = module
        .imports()
        .map(|import| {
            let export = main.get_export(&mut store, import.name());
            export.unwrap_or_else(|| base.into())
        })
        .collect();
    let start = Instant::now();
    for _ in 0..TIMED {
        wasmtime::Instance::new(&mut store, &module, &ready)?;
    }
    Ok((linked, start.elapsed().as_secs_f64() / TIMED as f64))
}

const GRAPH: usize = 200;

fn chain(at: usize) -> Vec<usize> {
    (at + 1..GRAPH).take(1).collect()
}

fn wide(at: usize) -> Vec<usize> {
    if at == 0 {
        (1..GRAPH).collect()
    } else {
        Vec::new()
    }
}

/// Seconds per library: loaded as a dependency, and loaded by itself.
fn graph(needs: fn(usize) -> Vec<usize>) -> Fallible<(f64, f64)> {
    let one = |needs: fn(usize) -> Vec<usize>| -> Fallible<Store<World>> {
        let mut world = World::new(IMPORTS)?;
        for at in 0..GRAPH {
            let library = library(&NAMES, IMPORTS, 0, &needs(at))?;
            world.file(&format!("/{at}.so"), library);
        }
        let mut store = world.start()?;
        // Compiled once and unloaded again, so that only linking is timed.
        for at in (0..GRAPH).rev() {
            open(&mut store, &format!("/{at}.so"), FLAGS)?;
        }
        for handle in std::mem::take(&mut store.data_mut().handles) {
            close(&mut store, handle)?;
        }
        Ok(store)
    };
    let mut store = one(needs)?;
    let start = Instant::now();
    open(&mut store, "/0.so", FLAGS)?;
    let together = start.elapsed().as_secs_f64() / GRAPH as f64;
    let mut store = one(|_| Vec::new())?;
    let start = Instant::now();
    for at in 0..GRAPH {
        open(&mut store, &format!("/{at}.so"), FLAGS)?;
    }
    Ok((together, start.elapsed().as_secs_f64() / GRAPH as f64))
}

fn reopening() -> Fallible<(f64, f64)> {
    const TIMED: usize = 200;
    let mut world = World::new(IMPORTS)?;
    let library = library(&NAMES, IMPORTS, 0, &[])?;
    for at in 0..=TIMED {
        world.file(&format!("/{at}.so"), library.clone());
    }
    let mut store = world.start()?;
    open(&mut store, "/0.so", FLAGS)?;
    let mut all = || -> Fallible<f64> {
        let start = Instant::now();
        for at in 1..=TIMED {
            open(&mut store, &format!("/{at}.so"), FLAGS)?;
        }
        Ok(start.elapsed().as_secs_f64() / TIMED as f64)
    };
    let first = all()?;
    Ok((all()?, first))
}

/// Seconds per cycle among the last thousand, and among the first. Prints the memory use.
fn cycles(count: usize) -> Fallible<(f64, f64)> {
    let mut world = World::new(IMPORTS)?;
    let library = library(&NAMES, IMPORTS, 4, &[])?;
    world.file("/0.so", library);
    let mut store = world.start()?;
    open(&mut store, "/0.so", FLAGS)?;
    let handle = store.data_mut().handles.remove(0);
    close(&mut store, handle)?;
    let before = (resident(), slots(&mut store)?);
    let (mut first, mut last) = (0.0, 0.0);
    for part in 0..count / 1000 {
        let start = Instant::now();
        for _ in 0..1000 {
            open(&mut store, "/0.so", FLAGS)?;
            let handle = store.data_mut().handles.remove(0);
            close(&mut store, handle)?;
        }
        last = start.elapsed().as_secs_f64() / 1000.0;
        if part == 0 {
            first = last;
        }
    }
    let (after, grown) = (resident(), slots(&mut store)? - before.1);
    eprintln!(
        "  {count} cycles: the table grew by {grown} slots, the process by {} bytes a cycle",
        after.saturating_sub(before.0) / count as u64
    );
    Ok((last, first))
}

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or_default() * 4096
}

fn slots(store: &mut Store<World>) -> Fallible<u64> {
    let main = store.data().main.ok_or("main is not loaded")?;
    let table = main.get_table(&mut *store, "__indirect_function_table");
    Ok(table.ok_or("main has no table")?.size(&store))
}

fn symbols() -> Fallible<(f64, f64)> {
    const TIMED: usize = 2000;
    let mut times = [0.0; 2];
    for (time, exports) in times.iter_mut().zip([10_000, 10]) {
        let mut world = World::new(IMPORTS)?;
        let library = library(&NAMES, IMPORTS, exports, &[])?;
        world.file("/0.so", library);
        let mut store = world.start()?;
        open(&mut store, "/0.so", FLAGS)?;
        let handle = store.data().handles[0];
        let names: Vec<String> = (0..TIMED).map(|at| format!("x{}", at % exports)).collect();
        let mut ask = || -> Fallible<()> {
            for name in &names {
                let found = dlfcn::sym(&mut WasmtimeEngine::new(&mut store), handle, name);
                found.ok_or_else(|| format!("`{name}` is not found"))?;
            }
            Ok(())
        };
        // Each symbol has a slot by now.
        ask()?;
        let start = Instant::now();
        ask()?;
        *time = start.elapsed().as_secs_f64() / TIMED as f64;
    }
    Ok((times[0], times[1]))
}

/// Seconds for one `dlopen` with a plan, and for one without.
fn planned(imports: usize) -> Fallible<(f64, f64)> {
    const TIMED: usize = 100;
    let mut times = [0.0; 2];
    for (time, by_plan) in times.iter_mut().zip([true, false]) {
        let mut world = World::new(imports)?;
        for at in 0..=TIMED {
            // Two files with the same content would be one library.
            let library = library(&NAMES, imports, 1, &[])?;
            world.file(&format!("/{at}.so"), library);
        }
        if by_plan {
            world.make_plan()?;
        }
        let mut store = world.start()?;
        open(&mut store, "/0.so", FLAGS)?;
        let start = Instant::now();
        for at in 1..=TIMED {
            open(&mut store, &format!("/{at}.so"), FLAGS)?;
        }
        *time = start.elapsed().as_secs_f64() / TIMED as f64;
    }
    Ok((times[0], times[1]))
}

const C_LIBRARIES: usize = 50;

/// The same libraries for both sides: each calls sixty functions of the program.
fn build_c(folder: &Path) -> Fallible<()> {
    let mut library = String::new();
    let mut sum = String::from("0");
    let mut main = String::from(
        "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <stdio.h>\n#include <time.h>\n",
    );
    for at in 0..IMPORTS {
        let _ = writeln!(library, "int f{at}(int);");
        let _ = write!(sum, " + f{at}(x)");
        let _ = writeln!(main, "int f{at}(int x) {{ return x; }}");
    }
    let _ = writeln!(library, "int init(int x) {{ return {sum}; }}");
    let _ = write!(
        main,
        "int main(int c, char **v) {{
            struct timespec a, b; char path[4096];
            for (int i = 0; i <= {C_LIBRARIES}; i++) {{
                if (i == 1) clock_gettime(CLOCK_MONOTONIC, &a);
                snprintf(path, sizeof path, \"%s/%d.so\", v[1], i);
                if (!dlopen(path, RTLD_NOW | RTLD_LOCAL)) {{ puts(dlerror()); return 1; }}
            }}
            clock_gettime(CLOCK_MONOTONIC, &b);
            printf(\"%.9f\\n\", ((b.tv_sec - a.tv_sec) + (b.tv_nsec - a.tv_nsec) * 1e-9) / {C_LIBRARIES});
        }}"
    );
    std::fs::write(folder.join("library.c"), library)?;
    std::fs::write(folder.join("main.c"), main)?;
    let native = folder.join("native");
    std::fs::create_dir_all(&native)?;
    let gcc = |words: &[&str], output: &Path| -> Fallible<()> {
        let status = Command::new("cc")
            .current_dir(folder)
            .args(words)
            .arg("-o")
            .arg(output)
            .status()?;
        status
            .success()
            .then_some(())
            .ok_or_else(|| "cc failed".into())
    };
    gcc(
        &["-O2", "-rdynamic", "main.c", "-ldl"],
        &folder.join("main"),
    )?;
    gcc(
        &["-O2", "-shared", "-fPIC", "library.c"],
        &native.join("0.so"),
    )?;
    for at in 1..=C_LIBRARIES {
        std::fs::copy(native.join("0.so"), native.join(format!("{at}.so")))?;
    }
    let words = ["-O2", "-shared"].map(Into::into);
    let output = folder.join("guest.so");
    let words =
        words
            .into_iter()
            .chain([folder.join("library.c").into(), "-o".into(), output.into()]);
    match cc::run(Language::C, words) == ExitCode::SUCCESS {
        true => Ok(()),
        false => Err("`pymode cc` failed".into()),
    }
}

fn against_glibc(folder: &Path) -> Fallible<(f64, f64)> {
    let library = std::fs::read(folder.join("guest.so"))?;
    let mut world = World::new(IMPORTS)?;
    for at in 0..=C_LIBRARIES {
        world.file(&format!("/{at}.so"), library.clone());
    }
    let mut store = world.start()?;
    open(&mut store, "/0.so", FLAGS)?;
    let start = Instant::now();
    for at in 1..=C_LIBRARIES {
        open(&mut store, &format!("/{at}.so"), FLAGS)?;
    }
    let ours = start.elapsed().as_secs_f64() / C_LIBRARIES as f64;
    let output = Command::new(folder.join("main"))
        .arg(folder.join("native"))
        .output()?;
    let theirs = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok((ours, theirs))
}
