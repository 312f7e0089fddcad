//! Link plans for closed sets: they bind what a `dlopen` at run time binds, hold for the files that they were made for, and are
//! hostile until they are checked.

use pymode_dylink::{ContentHash, Plan, PlanError};
use pymode_dylink_conformance::case;
use pymode_dylink_conformance::fake::Fake;
use pymode_dylink_conformance::script::Step;
use pymode_dylink_conformance::{Faulty, Subject};

/// Every `dlopen` of every case, decided and recalled: what is printed of both is the same, to the last binding.
#[test]
fn plan_and_resolver_bind_the_same_things() {
    let (mut compared, mut recalled) = (0, 0);
    for case in case::all() {
        let files = case.files().expect("the case can be read");
        let mut decided = Fake::process(files.clone());
        let mut planned = Fake::planned(files);
        for step in &case.script.step {
            let Step::Open {
                path: Some(path),
                flags,
                ..
            } = step
            else {
                continue;
            };
            let bits = flags.iter().fold(2, |bits, flag| bits | flag.bits());
            let one = Subject::plan(&mut decided, path, bits);
            let other = Subject::plan(&mut planned, path, bits);
            assert_eq!(one, other, "{}: {path}", case.name);
            let opened = decided.open(Some(path), bits);
            assert_eq!(opened, planned.open(Some(path), bits), "{}", case.name);
            let (one, other) = (decided.error(), planned.error());
            assert_eq!(one, other, "{}: {path}", case.name);
            let (one, other) = (decided.snapshot(), planned.snapshot());
            assert_eq!(one, other, "{}: {path}", case.name);
            compared += 1;
        }
        recalled += planned.recalled();
    }
    assert!(compared > 60, "only {compared} were compared");
    assert!(recalled > 60, "only {recalled} files were recalled");
}

fn process(name: &str) -> Fake {
    let cases = case::all();
    let case = cases.iter().find(|case| case.name == name);
    let case = case.expect("there is such a case");
    Fake::planned(case.files().expect("the case can be read"))
}

#[test]
fn a_plan_whose_files_have_changed_is_refused() {
    let mut fake = process("diamond");
    assert_ne!(fake.open(Some("/a.wasm"), 2), 0, "{:?}", fake.error());
    assert!(fake.recalled() > 3);

    let mut fake = process("diamond");
    let other = wat::parse_str(
        r#"(module (@dylink.0 (mem-info (memory 8 2) (table 0 0))) (@custom "test.abi" "\07"))"#,
    );
    fake.change("d.wasm", other.expect("well-formed"));
    let before = fake.snapshot();
    assert_eq!(fake.open(Some("/a.wasm"), 2), 0);
    let error = fake.error().expect("a reason");
    assert!(
        error.contains("the link plan is stale: `/d.wasm` is not the file that it was made for"),
        "{error}"
    );
    assert_eq!(fake.snapshot().memory, before.memory);

    let mut fake = process("diamond");
    let main = std::fs::read_to_string(case::cases_folder().join("main.wat")).expect("it is there");
    let main = main.replacen("(module", "(module (@custom \"other\" \"\")", 1);
    fake.change("main.wasm", wat::parse_str(main).expect("well-formed"));
    assert_eq!(fake.open(Some("/a.wasm"), 2), 0);
    let error = fake.error().expect("a reason");
    assert!(error.contains("stale: `main.wasm`"), "{error}");
}

/// The plan of each case, as bytes.
fn plans() -> impl Iterator<Item = Vec<u8>> {
    let cases = case::all().into_iter();
    cases.map(|case| {
        let files = case.files().expect("the case can be read");
        files.plan(&|module, _| module == "test").to_bytes()
    })
}

#[test]
fn a_plan_is_the_same_each_time() {
    let twice: Vec<_> = plans().zip(plans()).collect();
    assert!(twice.len() > 40);
    assert!(twice.iter().all(|(one, other)| one == other));
}

#[test]
fn damaged_plans_are_refused_or_harmless() {
    assert_eq!(Plan::from_bytes(b"").err(), Some(PlanError::NotAPlan));
    let (mut refused, mut read) = (0, 0);
    for bytes in plans() {
        for length in 0..bytes.len() {
            let cut = Plan::from_bytes(&bytes[..length]);
            assert!(cut.is_err(), "cut at {length}");
        }
        for at in 0..bytes.len() {
            for flip in [0x01, 0x10, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                match Plan::from_bytes(&bytes).and_then(|plan| plan.check()) {
                    Ok(()) => read += 1,
                    Err(_) => refused += 1,
                }
            }
        }
        let mut version = bytes.clone();
        version[12] = 99;
        assert!(matches!(
            Plan::from_bytes(&version),
            Err(PlanError::Version { found: 99, .. })
        ));
    }
    assert!(refused > 1000 && read > 1000, "{refused} {read}");
}

/// A plan that can be read, however damaged, leads to a `dlopen` or to an error.
#[test]
fn what_can_be_read_can_be_opened() {
    let (mut opened, mut failed) = (0, 0);
    for case in case::all() {
        let files = case.files().expect("the case can be read");
        let plan = files.plan(&|module, _| module == "test");
        let bytes = plan.to_bytes();
        for at in (12..bytes.len()).step_by(3) {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            let Ok(plan) = Plan::from_bytes(&bytes) else {
                continue;
            };
            let mut fake = Fake::process(files.clone());
            fake.set_plan(plan);
            for path in files.paths() {
                match fake.open(Some(&format!("/{path}")), 2) {
                    0 => failed += 1,
                    _ => opened += 1,
                }
            }
        }
    }
    assert!(opened > 1000 && failed > 1000, "{opened} {failed}");
}

#[test]
fn the_plan_has_mains_description() {
    let cases = case::all();
    let case = cases.iter().find(|case| case.name == "diamond");
    let case = case.expect("there is such a case");
    let files = case.files().expect("the case can be read");
    let plan = files.plan(&|_, _| false);
    let main = files.read("main.wasm").expect("it is there");
    let hash = pymode_dylink_conformance::files::hash(&main);
    let info = plan.main(hash, "main.wasm").expect("it is this main");
    assert!(info.exports.find("malloc").is_some());
    assert!(info.exports.find("no such").is_none());
    let stale = plan.main(ContentHash([0; 32]), "python.wasm");
    let stale = stale.expect_err("it is another main").to_string();
    assert!(
        stale.contains("`python.wasm` is not the file")
            && stale.ends_with("hint: run the case again"),
        "{stale}"
    );
    let side = files
        .paths()
        .find(|path| path != "main.wasm")
        .expect("it has a library");
    let side = files.read(&side).expect("it is there");
    let described = plan.describe(pymode_dylink_conformance::files::hash(&side));
    described
        .expect("it is in the set")
        .expect("it can be read");
    assert!(plan.describe(ContentHash([0; 32])).is_none());
}
