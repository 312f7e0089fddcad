//! Prints the description of a module: `cargo run --release -p pymode-dylink --example describe -- [--main] FILE`.

use std::time::Instant;

use pymode_dylink::{ExportKind, ModuleInfo};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let main = arguments.iter().any(|argument| argument == "--main");
    arguments.retain(|argument| argument != "--main");
    let [path] = arguments.as_slice() else {
        return Err("usage: describe [--main] FILE".into());
    };
    let bytes = std::fs::read(path)?;
    let start = Instant::now();
    let info = match main {
        true => ModuleInfo::main_from_bytes(&bytes)?,
        false => ModuleInfo::from_bytes(&bytes)?,
    };
    let elapsed = start.elapsed();
    println!(
        "memory  {} bytes, align {}",
        info.memory.size,
        info.memory.align.get()
    );
    println!(
        "table   {} slots, align {}",
        info.table.size,
        info.table.align.get()
    );
    println!("needed  {:?}", info.needed);
    println!("rpath   {:?}", info.runtime_path);
    println!("starts  {}", info.starts);
    println!("imports {}", info.imports.len());
    for import in &info.imports {
        println!("  {}.{}: {:?}", import.module, import.name, import.kind);
    }
    println!("exports {}", info.exports.iter().len());
    if !main {
        for export in info.exports.iter() {
            let slot = match export.kind {
                ExportKind::Function(function) => info.slot(function),
                _ => None,
            };
            println!("  {}: {:?} {slot:?}", export.name, export.kind);
        }
    }
    eprintln!("read {} bytes in {elapsed:.1?}", bytes.len());
    Ok(())
}
