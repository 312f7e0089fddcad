//! Targets that read bytes.

use pymode_dylink::{Inspection, ModuleInfo, Parts, Plan};
use pymode_dylink_conformance::{Subject, case, fake::Fake};
use wasm_encoder::{CustomSection, Module};

/// The content of a `dylink.0` section: read as a part and as the front of a module, it says the same.
pub fn dylink_section(data: &[u8]) {
    let part = ModuleInfo::from_parts(Parts {
        dylink: Some(data),
        stamps: &[],
        imports: &[],
        exports: &[],
        starts: false,
    });
    let mut module = Module::new();
    module.section(&CustomSection {
        name: "dylink.0".into(),
        data: data.into(),
    });
    let whole = ModuleInfo::from_bytes(&module.finish());
    match (part, whole) {
        (Ok(part), Ok(whole)) => {
            assert_eq!(part.memory, whole.memory);
            assert_eq!(part.table, whole.table);
            assert_eq!(part.needed, whole.needed);
            assert_eq!(part.runtime_path, whole.runtime_path);
        }
        (Err(_), Err(_)) => {}
        (part, whole) => panic!("as a part {part:?}, as a module {whole:?}"),
    }
}

/// A module: whatever is read keeps the promises of [`ModuleInfo`].
pub fn module(data: &[u8]) {
    for read in [ModuleInfo::from_bytes, ModuleInfo::main_from_bytes] {
        let Ok(info) = read(data) else { continue };
        assert!(info.imports.len() <= data.len());
        for export in info.exports.iter() {
            let (id, found) = info.exports.find(&export.name).expect("it is there");
            assert_eq!(found.name, export.name);
            assert_eq!(info.exports.get(id), found);
            if let pymode_dylink::ExportKind::Function(function) = found.kind {
                let _ = info.signature(function);
                let _ = info.imported(function);
                if let Some(slot) = info.slot(function) {
                    assert!(info.function_in_slot(slot).is_some());
                }
            }
        }
    }
    if let Some(inspection) = Inspection::from_bytes(data) {
        let _ = inspection.defines("f");
    }
}

/// A link plan: refused, or as good for a `dlopen` as any.
pub fn plan(data: &[u8]) {
    let Ok(plan) = Plan::from_bytes(data) else {
        return;
    };
    let again = Plan::from_bytes(&plan.to_bytes()).expect("what was read can be read again");
    assert_eq!(plan.check(), again.check());
    thread_local! {
        static FILES: pymode_dylink_conformance::files::Files = {
            let cases = case::all();
            let case = cases.iter().find(|case| case.name == "cycle");
            case.expect("there is such a case").files().expect("it can be read")
        };
    }
    let files = FILES.with(Clone::clone);
    let paths: Vec<String> = files.paths().collect();
    let mut fake = Fake::process(files);
    fake.set_plan(plan);
    for path in paths {
        let _ = Subject::open(&mut fake, Some(&format!("/{path}")), 2);
    }
}
