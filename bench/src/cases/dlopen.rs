//! `dlopen` of a library of its own size, against a bare `Instance::new` with prepared imports.
//!
//! Both take the compiled code from the same disk cache, so the ratio is the linker's own work: parsing the module, resolving,
//! planning, binding, and recording.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use pymode_dylink::{Config, FileId, dlfcn, now};
use pymode_dylink_wasmtime::{
    CodeCache, Linkage, MainModule, StoreData, WasmtimeEngine, engine_config,
};
use wasmtime::{
    Engine, Extern, Global, GlobalType, Instance, Linker, Mutability, Store, Val, ValType,
};

use super::{Bench, Outcome};
use crate::pair::Sample;

/// Numbers of imported functions: about markupsafe's, and about numpy's.
const IMPORTS: [usize; 2] = [60, 568];
/// Number of libraries per measurement: a single load is too short to be timed.
const LIBRARIES: usize = 50;
/// `RTLD_NOW | RTLD_LOCAL` of the guest's libc.
const FLAGS: u32 = 2 | 8;

pub(crate) fn dlopen(bench: &Bench) -> Outcome {
    let folder = tempfile::tempdir()?;
    IMPORTS
        .iter()
        .map(|&imports| one_size(imports, bench.runs, folder.path()))
        .collect()
}

fn one_size(
    imports: usize,
    runs: usize,
    cache: &Path,
) -> Result<Sample, Box<dyn std::error::Error>> {
    let subject = || loaded(imports, cache);
    let baseline = || bare(imports, cache);
    subject()?;
    baseline()?;
    let pairs = (0..runs)
        .map(|_| Ok((subject()?, baseline()?)))
        .collect::<Result<_, wasmtime::Error>>()?;
    Ok(Sample {
        case: format!("dlopen, {imports} imports, each of {LIBRARIES}"),
        subject: "dlopen".into(),
        baseline: "bare instantiation".into(),
        pairs,
    })
}

/// Seconds for one `dlopen`, of many of distinct files.
fn loaded(imports: usize, cache: &Path) -> Result<f64, wasmtime::Error> {
    let mut process = process(imports, cache)?;
    // The first load reads main's exports, which a process does once.
    open(&mut process, 0)?;
    let start = Instant::now();
    for library in 1..=LIBRARIES {
        open(&mut process, library)?;
    }
    Ok(start.elapsed().as_secs_f64() / LIBRARIES as f64)
}

fn open(process: &mut Store<State>, library: usize) -> Result<(), wasmtime::Error> {
    let path = format!("/{library}.wasm");
    let opened = now(dlfcn::open(
        &mut WasmtimeEngine::new(process),
        Some(&path),
        FLAGS,
    ));
    if opened.unwrap_or_default() == 0 {
        let message = process.data_mut().linkage.program().error.take();
        return Err(wasmtime::Error::msg(message.unwrap_or_default()));
    }
    Ok(())
}

/// Seconds for one bare instantiation of the same module.
fn bare(imports: usize, cache: &Path) -> Result<f64, wasmtime::Error> {
    let mut store = process(imports, cache)?;
    let wasm = side(imports)?;
    let code = CodeCache::new(cache);
    let main = store
        .data()
        .main
        .ok_or_else(|| wasmtime::Error::msg("main is not loaded"))?;
    let module = code.module(store.engine(), &wasm)?;
    let ready: Vec<Extern> = module
        .imports()
        .map(|import| match main.get_export(&mut store, import.name()) {
            Some(export) => Ok(export),
            None => base(&mut store),
        })
        .collect::<Result<_, _>>()?;
    let start = Instant::now();
    for library in 1..=LIBRARIES {
        let module = code.module(store.engine(), &numbered(&wasm, &library.to_string()))?;
        Instance::new(&mut store, &module, &ready)?;
    }
    Ok(start.elapsed().as_secs_f64() / LIBRARIES as f64)
}

/// `__memory_base` and `__table_base` of a module without memory or slots of its own.
fn base(store: &mut Store<State>) -> Result<Extern, wasmtime::Error> {
    let of = GlobalType::new(ValType::I32, Mutability::Const);
    Ok(Global::new(store, of, Val::I32(1024))?.into())
}

/// A running main module that exports as many functions as are imported, and files with libraries that differ only in a
/// number: identical files are read only once.
fn process(imports: usize, cache: &Path) -> Result<Store<State>, wasmtime::Error> {
    let engine = Engine::new(&engine_config())?;
    let bytes = main_module(imports)?;
    let module = CodeCache::new(cache).module(&engine, &bytes)?;
    let linker = Arc::new(Linker::new(&engine));
    let state = State {
        linkage: Linkage::new(Config::default(), Some(CodeCache::new(cache))),
        library: side(imports)?,
        ids: HashMap::new(),
        main: None,
    };
    let mut store = Store::new(&engine, state);
    let instance = linker.instantiate(&mut store, &module)?;
    store.data_mut().main = Some(instance);
    let main = MainModule {
        name: "main".into(),
        instance,
        bytes: Box::new(move || Ok(bytes.clone())),
        names: None,
        imports: linker,
    };
    store.data_mut().linkage.set_main(main);
    Ok(store)
}

struct State {
    linkage: Linkage<State>,
    library: Vec<u8>,
    ids: HashMap<String, u64>,
    main: Option<Instance>,
}

impl StoreData for State {
    fn linkage(&mut self) -> &mut Linkage<Self> {
        &mut self.linkage
    }

    fn identify(&mut self, path: &str) -> Option<FileId> {
        let next = self.ids.len() as u64;
        let file = *self.ids.entry(path.into()).or_insert(next);
        Some(FileId { volume: 0, file })
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let number = path.trim_matches(|c: char| !c.is_ascii_digit());
        Ok(numbered(&self.library, number))
    }
}

fn main_module(functions: usize) -> Result<Vec<u8>, wasmtime::Error> {
    let mut text = String::from(
        "(module (memory (export \"memory\") 1) (table (export \"__indirect_function_table\") 1 funcref)\n\
         (global (export \"__stack_pointer\") (mut i32) (i32.const 65536))\n\
         (func (export \"aligned_alloc\") (param i32 i32) (result i32) (i32.const 1024))\n\
         (func (export \"malloc\") (param i32) (result i32) (i32.const 1024))\n\
         (func (export \"free\") (param i32))\n",
    );
    for n in 0..functions {
        let _ = writeln!(
            text,
            "(func (export \"f{n}\") (param i32) (result i32) (local.get 0))"
        );
    }
    text.push(')');
    Ok(wat::parse_str(text)?)
}

fn side(imports: usize) -> Result<Vec<u8>, wasmtime::Error> {
    // `dylink.0` with a memory-info subsection of four zeros: nothing to reserve.
    let mut text = String::from(
        "(module (@custom \"dylink.0\" (before first) \"\\01\\04\\00\\00\\00\\00\")\n\
         (import \"env\" \"memory\" (memory 0)) (import \"env\" \"__memory_base\" (global i32))\n\
         (import \"env\" \"__table_base\" (global i32))\n\
         (import \"env\" \"__indirect_function_table\" (table 0 funcref))\n",
    );
    for n in 0..imports {
        let _ = writeln!(
            text,
            "(import \"env\" \"f{n}\" (func $f{n} (param i32) (result i32)))"
        );
    }
    text.push_str("(func (export \"init\") (result i32) (call $f0 (i32.const 7))))");
    Ok(wat::parse_str(text)?)
}

/// The same module with an additional custom section that holds its number.
fn numbered(wasm: &[u8], number: &str) -> Vec<u8> {
    let mut section = vec![0, 2 + number.len() as u8, 1, b'n'];
    section.extend(number.bytes());
    [wasm, &section].concat()
}
