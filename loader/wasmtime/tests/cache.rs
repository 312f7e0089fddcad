//! Compiled code on disk.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_dylink_wasmtime::{CodeCache, engine_config};
use wasmtime::{Engine, Instance, Module, Store};

fn engine() -> Engine {
    Engine::new(&engine_config()).expect("an engine")
}

fn wasm(number: i32) -> Vec<u8> {
    wat::parse_str(format!(
        "(module (func (export \"f\") (result i32) (i32.const {number})))"
    ))
    .expect("the module is well-formed")
}

fn value(engine: &Engine, module: &Module) -> i32 {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[]).expect("an instance");
    let f = instance
        .get_typed_func::<(), i32>(&mut store, "f")
        .expect("it exports f");
    f.call(&mut store, ()).expect("f returns")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the cache is there");
    entries
        .map(|entry| entry.expect("it can be read").path())
        .collect()
}

#[test]
fn code_is_made_once_and_found_by_its_content() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = CodeCache::new(folder.path().join("made/when/needed"));
    let engine = engine();
    for number in [1, 2, 1, 2] {
        let module = cache.module(&engine, &wasm(number)).expect("a module");
        assert_eq!(value(&engine, &module), number);
    }
    assert_eq!(entries(&folder.path().join("made/when/needed")).len(), 2);
}

#[test]
fn another_engine_has_its_own_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = CodeCache::new(folder.path());
    cache.module(&engine(), &wasm(1)).expect("a module");
    let mut config = engine_config();
    config.epoch_interruption(true);
    let other = Engine::new(&config).expect("an engine");
    cache.module(&other, &wasm(1)).expect("a module");
    assert_eq!(entries(folder.path()).len(), 2);
}

#[test]
fn an_entry_that_is_damaged_anywhere_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = CodeCache::new(folder.path());
    let engine = engine();
    cache.module(&engine, &wasm(7)).expect("a module");
    let entry = entries(folder.path()).remove(0);
    let whole = fs::read(&entry).expect("the entry");

    let cut = |length: usize| whole[..length].to_vec();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let damaged = [
        Vec::new(),
        cut(10),
        cut(whole.len() / 2),
        cut(whole.len() - 1),
        flipped(0),
        flipped(whole.len() / 3),
        flipped(whole.len() - 17),
        flipped(whole.len() - 1),
        [whole.clone(), vec![0; 32]].concat(),
    ];
    for bytes in damaged {
        fs::write(&entry, bytes).expect("the entry can be written");
        let module = cache.module(&engine, &wasm(7)).expect("a module");
        assert_eq!(value(&engine, &module), 7);
        assert_eq!(fs::read(&entry).expect("the entry"), whole, "it is mended");
        assert_eq!(entries(folder.path()).len(), 1, "and nothing else is left");
    }
}

#[test]
fn a_cache_that_cannot_be_written_costs_only_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").expect("a file");
    let cache = CodeCache::new(file);
    let engine = engine();
    let module = cache.module(&engine, &wasm(3)).expect("a module");
    assert_eq!(value(&engine, &module), 3);
}

#[test]
fn a_file_is_read_again_when_it_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = CodeCache::new(folder.path().join("cache"));
    let engine = engine();
    let path = folder.path().join("m.wasm");
    fs::write(&path, wasm(1)).expect("a file");
    let file = || cache.file(&engine, &path).expect("a module");
    assert_eq!(value(&engine, &file()), 1);
    assert_eq!(value(&engine, &file()), 1);
    assert_eq!(entries(&folder.path().join("cache")).len(), 1);

    // Another content of the same size, later.
    fs::write(&path, wasm(2)).expect("a file");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(2);
    let opened = fs::File::options().write(true).open(&path);
    opened
        .and_then(|file| file.set_modified(later))
        .expect("its time can be set");
    assert_eq!(value(&engine, &file()), 2);
}

#[test]
fn what_is_no_wasm_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = CodeCache::new(folder.path());
    assert!(cache.module(&engine(), b"no wasm").is_err());
    assert_eq!(entries(folder.path()).len(), 0);
}
