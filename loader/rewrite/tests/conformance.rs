//! Every case of the conformance suite, its modules rewritten, on the engine that runs nothing but checks everything: what is said
//! of each step is what is said of the modules as they were. `loader/wasmtime` and `host/workerd` do the same where code runs.

mod case;

use pymode_dylink::ModuleInfo;
use pymode_dylink_conformance::case::{Case, all};
use pymode_dylink_conformance::fake::{Fake, Planned};
use pymode_dylink_conformance::files::MAIN;
use pymode_dylink_conformance::{CaseOutput, Subject, check, run};
use pymode_dylink_rewrite::Kinds;

const NONE: Kinds = Kinds {
    addresses: false,
    functions: false,
    exports: false,
};

fn says<S: Subject>(case: &Case, kinds: Kinds) -> usize {
    let (files, gone) = case::rewritten(case, kinds).expect("the case can be read");
    let said =
        run::<S>(&case.script, files).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let said = CaseOutput {
        errors: said.errors,
        plan: None,
    };
    check(case, &said).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    gone
}

#[test]
fn a_rewritten_case_says_what_it_said() {
    let mut gone = 0;
    for case in all().into_iter().filter(|case| !case.script.runs) {
        gone += says::<Fake>(&case, Kinds::ALL);
        says::<Planned>(&case, Kinds::ALL);
    }
    assert!(gone > 20, "only {gone} imports and exports went");
}

#[test]
fn each_kind_of_rewriting_stands_alone() {
    let kinds = [
        Kinds {
            addresses: true,
            ..NONE
        },
        Kinds {
            functions: true,
            ..NONE
        },
        Kinds {
            exports: true,
            ..NONE
        },
    ];
    for case in all().into_iter().filter(|case| !case.script.runs) {
        for kinds in kinds {
            says::<Fake>(&case, kinds);
        }
        assert_eq!(says::<Fake>(&case, NONE), 0);
    }
}

/// Checks that only memory, table and bound imports are removed, and that the other types stay.
#[test]
fn a_rewritten_module_is_valid_and_says_the_same_of_what_stays() {
    let mut modules = 0;
    for case in all() {
        let before = case.files().expect("the case can be read");
        let (after, _) = case::rewritten(&case, Kinds::ALL).expect("the case can be read");
        for (path, _, new) in after.entries().filter(|(path, _, _)| *path != MAIN) {
            let old = before.read(path).expect("it was there");
            let Ok(was) = ModuleInfo::from_bytes(&old) else {
                assert_eq!(old, new);
                continue;
            };
            let is = ModuleInfo::from_bytes(new).expect("it is a side module");
            let valid = |module: &[u8]| wasmparser::validate(module).is_ok();
            assert!(valid(new) || !valid(&old), "{}: {path}", case.name);
            assert_eq!((is.memory, is.table), (was.memory, was.table));
            assert_eq!((&is.needed, is.starts), (&was.needed, was.starts));
            for import in &is.imports {
                let same = |other: &pymode_dylink::Import| {
                    (&other.module, &other.name, &other.kind)
                        == (&import.module, &import.name, &import.kind)
                };
                assert!(was.imports.iter().any(same), "{}: {path}", case.name);
            }
            for export in is.exports.iter() {
                let (_, before) = was.exports.find(&export.name).expect("it was there");
                match (&before.kind, &export.kind) {
                    (
                        pymode_dylink::ExportKind::Function(before),
                        pymode_dylink::ExportKind::Function(after),
                    ) => {
                        assert_eq!(was.signature(*before), is.signature(*after));
                        assert_eq!(was.slot(*before), is.slot(*after));
                    }
                    (before, after) => assert_eq!(before, after),
                }
            }
            modules += 1;
        }
    }
    assert!(modules > 60, "only {modules} modules");
}
