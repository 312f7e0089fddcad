//! Stories: a program's calls on a group of side modules, compared with the reference model.

use std::collections::BTreeMap;

use pymode_dylink::State as _;
use pymode_dylink_conformance::fake::Fake;
use pymode_dylink_conformance::files::Files;
use pymode_dylink_conformance::{Faulty, Subject};

use crate::bytes::Decisions;
use crate::generate::{self, Defined, GLOBAL, NOLOAD, NOW, Side, path, value};
use crate::model::{Model, Opened};

/// Over the fake engine: decided at run time, and by a plan; then again with one engine call failing.
pub fn on_fake(data: &[u8]) {
    tell::<Fake>(data, Fake::process);
    tell::<Fake>(data, Fake::planned);
    with_a_fault(data);
}

/// Over any engine.
pub fn on<S: Subject>(data: &[u8]) {
    tell::<S>(data, S::new);
}

/// At most so many steps.
const STEPS: usize = 24;

fn tell<S: Subject>(data: &[u8], new: impl FnOnce(Files) -> S) {
    let mut decisions = Decisions(data);
    let sides = generate::sides(&mut decisions);
    let mut subject = new(generate::files(&sides));
    let mut model = Model::new(&sides);
    let mut handles = vec![0; sides.len()];
    for _ in 0..STEPS {
        if decisions.is_empty() {
            break;
        }
        let module = decisions.below(sides.len());
        if decisions.one_in(2) && model.loaded.get(&module).is_some_and(|side| side.opens > 0) {
            model.close(module);
            assert!(subject.close(handles[module]), "{:?}", subject.error());
        } else {
            let global = decisions.one_in(4);
            let expected = model.open(module, global);
            // An engine that runs nothing opens nothing from a constructor: from there on it would be another story.
            if model.is_reentered && !S::RUNS {
                return;
            }
            let handle = subject.open(Some(&path(module)), flags(global));
            let error = subject.error();
            match expected {
                Opened::Well => assert!(handle != 0, "m{module}: {error:?}\n{sides:#?}"),
                Opened::Refused => assert!(handle == 0, "m{module} is loaded\n{sides:#?}"),
                // An engine that runs nothing does not trap: from there on it would be another story.
                Opened::Trapped if !S::RUNS => return,
                Opened::Trapped => assert!(handle == 0, "m{module} did not trap\n{sides:#?}"),
            }
            assert!(handle != 0 || error.is_some());
            // A constructor's refused call leaves its message.
            assert!(handle == 0 || error.is_none() || model.is_reentered);
        }
        // Constructors opened some, and kept the handles for themselves.
        for (module, side) in &model.loaded {
            if side.opens > 0 {
                let handle = subject.open(Some(&path(*module)), NOW | NOLOAD);
                assert!(handle != 0, "m{module} is loaded: {:?}", subject.error());
                assert!(subject.close(handle));
                handles[*module] = handle;
            }
        }
        check(&mut subject, &model, &sides, &handles);
    }
    // All is given back, and nothing stays but what may still be pointed to.
    for (module, handle) in handles.iter().enumerate() {
        while model.loaded.get(&module).is_some_and(|side| side.opens > 0) {
            model.close(module);
            assert!(subject.close(*handle));
        }
    }
    check(&mut subject, &model, &sides, &handles);
}

fn flags(global: bool) -> u32 {
    if global { NOW | GLOBAL } else { NOW }
}

/// Compares the loaded modules and their bindings with the model.
fn check<S: Subject>(subject: &mut S, model: &Model<'_>, sides: &[Side], handles: &[u32]) {
    let mut loaded = subject.loaded();
    loaded.sort();
    let expected: Vec<String> = model.loaded.keys().map(|module| path(*module)).collect();
    assert_eq!(loaded, expected, "{sides:#?}");
    let mut slots = BTreeMap::new();
    let opened: Vec<usize> = model
        .loaded
        .iter()
        .filter(|(_, side)| side.opens > 0)
        .map(|(module, _)| *module)
        .collect();
    let mut tagged = BTreeMap::new();
    for root in opened {
        for module in model.tree(root) {
            let side = &model.loaded[&module];
            if let Some(tag) = side.bound.tag {
                tagged.insert(module, (tag, handles[root]));
            }
            let ask = |subject: &mut S, name: String| {
                let slot = subject.sym(handles[root], &name);
                let slot = slot.unwrap_or_else(|| panic!("{name}: {:?}", subject.error()));
                S::RUNS.then(|| subject.call(slot, &[]))
            };
            if sides[module].starts {
                let got = ask(subject, format!("m{module}_started"));
                assert!(matches!(got, None | Some(Ok(1))), "m{module}: {got:?}");
                let points = side
                    .bound
                    .points
                    .keys()
                    .map(|f| (format!("point{f}"), false));
                let reads = side.bound.reads.keys();
                let reads = reads.map(|d| (format!("read{d}"), side.bound.late.contains(d)));
                for (name, is_late) in points.chain(reads) {
                    // An address is final before the module's first instruction, unless only an instance knows it that does
                    // not exist yet.
                    let early = ask(subject, format!("m{module}_early_{name}"));
                    let now = ask(subject, format!("m{module}_{name}"));
                    let expected = match is_late {
                        true => now.as_ref().map(|_| Ok(0)),
                        false => now,
                    };
                    assert_eq!(early, expected, "m{module} {name}\n{sides:#?}");
                }
            }
            for (f, definer) in &side.bound.calls {
                let got = ask(subject, format!("m{module}_call{f}"));
                match (got, definer) {
                    (None, _) | (Some(Err(_)), None) => {}
                    (Some(got), Some(definer)) => {
                        assert_eq!(
                            got,
                            Ok(value(*definer, *f)),
                            "m{module} calls f{f}\n{sides:#?}"
                        );
                    }
                    (Some(Ok(_)), None) => panic!("m{module} calls f{f}, which nobody defines"),
                }
            }
            for (f, definer) in &side.bound.points {
                let Some(got) = ask(subject, format!("m{module}_point{f}")) else {
                    continue;
                };
                let slot = got.expect("it only reads a global");
                let Some(definer) = definer else {
                    assert_eq!(slot, 0, "m{module} points to f{f}");
                    continue;
                };
                // One function has one address.
                let known = *slots.entry((*definer, *f)).or_insert(slot);
                assert_eq!(slot, known, "m{module} points to f{f}\n{sides:#?}");
                assert_ne!(slot, 0);
                if sides[*definer].defines[*f] != Defined::Other {
                    let got = subject.call(slot.cast_unsigned(), &[]);
                    assert_eq!(
                        got,
                        Ok(value(*definer, *f)),
                        "through a pointer\n{sides:#?}"
                    );
                }
            }
            for (d, definer) in &side.bound.reads {
                let Some(got) = ask(subject, format!("m{module}_read{d}")) else {
                    continue;
                };
                let address = got.expect("it only reads a global");
                match definer {
                    None => assert_eq!(address, 0),
                    Some(definer) if model.tree(root).contains(definer) => {
                        let own = ask(subject, format!("m{definer}_own{d}"));
                        assert_eq!(Some(Ok(address)), own, "m{module} reads d{d}\n{sides:#?}");
                    }
                    Some(_) => {}
                }
            }
        }
    }
    exceptions(subject, &tagged, sides);
    // Two functions have two addresses.
    let mut all: Vec<i32> = slots.values().copied().collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), slots.len(), "{slots:?}\n{sides:#?}");
}

/// Checks that exceptions are caught by modules with the same tag and by no other. By module: the owner of its tag, and a handle
/// that reaches it.
fn exceptions<S: Subject>(
    subject: &mut S,
    tagged: &BTreeMap<usize, (Option<usize>, u32)>,
    sides: &[Side],
) {
    let mut slots = BTreeMap::new();
    for (module, (_, handle)) in tagged {
        let mut slot = |name| subject.sym(*handle, &format!("m{module}_{name}"));
        let both = slot("throw").zip(slot("catch"));
        slots.insert(module, both.expect("it exports both"));
    }
    if !S::RUNS {
        return;
    }
    for (thrower, (thrown, _)) in tagged {
        for (catcher, (caught, _)) in tagged {
            let expected = if thrown == caught { 77 } else { -1 };
            let throw = slots[thrower].0.cast_signed();
            let got = subject.call(slots[catcher].1, &[throw, 77]);
            assert_eq!(
                got,
                Ok(expected),
                "m{catcher} catches what m{thrower} throws\n{sides:#?}"
            );
        }
    }
}

/// One engine call of one `dlopen` fails: then nothing of it is left, and the same `dlopen` afterwards ends as without.
fn with_a_fault(data: &[u8]) {
    let mut decisions = Decisions(data);
    let sides = generate::sides(&mut decisions);
    let files = generate::files(&sides);
    let module = decisions.below(sides.len());
    let open = |process: &mut Fake| Subject::open(process, Some(&path(module)), NOW);
    let prepared = || {
        let mut process = Fake::process(files.clone());
        // Main becomes known by the first call, and stays known.
        let _ = process.sym(0, "no such symbol");
        process
    };
    let mut clean = prepared();
    let before = clean.calls();
    let opened = open(&mut clean) != 0;
    let calls = clean.calls() - before;
    if calls == 0 {
        return;
    }
    let at = (usize::from(decisions.byte()) << 8 | usize::from(decisions.byte())) % calls as usize;
    let mut process = prepared();
    process.take_guest_ran();
    let before = process.snapshot();
    process.fail_in(Some(at as u32));
    if open(&mut process) != 0 {
        assert!(opened, "it succeeds only with a fault");
        return;
    }
    let after = process.snapshot();
    if process.take_guest_ran() {
        assert_eq!(before.census.modules, after.census.modules);
        assert_eq!(before.census.files, after.census.files);
    } else {
        assert_eq!(before, after, "call {at}\n{sides:#?}");
    }
    assert_eq!(open(&mut process) != 0, opened, "the same again");
    let dangling = process.program(|program| program.census().dangling);
    assert_eq!(dangling, 0);
}
