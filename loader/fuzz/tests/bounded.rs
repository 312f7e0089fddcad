//! The targets for a while, with the same bytes each time; the corpus of `fuzz/` first. `FUZZ_ROUNDS` makes it longer,
//! `FUZZ_SEED` another one, and `FUZZ_SEEDS` names a folder for what it begins with, which libFuzzer can begin with, too.

use std::fs;
use std::path::Path;
use std::time::Instant;

use pymode_dylink_conformance::case;
use pymode_dylink_fuzz::{Random, TARGETS, Target, story};

#[path = "../../wasmtime/tests/process/mod.rs"]
mod process;

fn number(name: &str, otherwise: u64) -> u64 {
    let value = std::env::var(name).ok().and_then(|text| text.parse().ok());
    value.unwrap_or(otherwise)
}

fn target(name: &str) -> Target {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.expect("there is such a target").1
}

/// Returns the seed corpus.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(name);
    let Ok(entries) = fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| fs::read(path).expect("it can be read");
    paths.iter().map(read).collect()
}

/// Runs `target` on the corpus, and on `rounds` changes of `seeds`.
fn run(name: &str, rounds: u64, seeds: &[Vec<u8>], target: impl Fn(&[u8])) {
    let rounds = rounds * number("FUZZ_ROUNDS", 1);
    if let Some(folder) = std::env::var_os("FUZZ_SEEDS") {
        let folder = Path::new(&folder).join(name);
        fs::create_dir_all(&folder).expect("the folder can be made");
        for (at, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{at}")), seed).expect("it can be written");
        }
    }
    let start = Instant::now();
    for bytes in corpus(name) {
        target(&bytes);
    }
    let mut random = Random::new(number("FUZZ_SEED", 1));
    for _ in 0..rounds {
        let mut bytes = match seeds {
            [] => Vec::new(),
            seeds => seeds[random.below(seeds.len())].clone(),
        };
        change(&mut bytes, &mut random);
        let copy = bytes.clone();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target(&bytes)));
        if let Err(panic) = outcome {
            let path = std::env::temp_dir().join(format!("crash-{name}"));
            let kept = fs::write(&path, copy);
            eprintln!("the bytes that did it are in {}: {kept:?}", path.display());
            std::panic::resume_unwind(panic);
        }
    }
    eprintln!("{name}: {rounds} rounds in {:.1?}", start.elapsed());
}

/// A few changes, as a file that is damaged or made by an enemy has them.
fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    if bytes.is_empty() {
        let length = random.below(160);
        *bytes = random.bytes(length);
        return;
    }
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 => bytes[at] = random.number() as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, random.number() as u8),
            4 => drop(bytes.remove(at)),
            _ => {
                let from = random.below(bytes.len());
                let part = bytes[from.min(at)..from.max(at)].to_vec();
                bytes.splice(at..at, part);
            }
        }
        if bytes.is_empty() {
            return;
        }
    }
}

/// The side modules of the cases.
fn modules() -> Vec<Vec<u8>> {
    let cases = case::all();
    let files = cases
        .iter()
        .map(|case| case.files().expect("it can be read"));
    files
        .flat_map(|files| {
            files
                .paths()
                .map(|path| files.read(&path))
                .collect::<Vec<_>>()
        })
        .collect::<Result<_, _>>()
        .expect("they can be read")
}

#[test]
fn dylink_section() {
    // A section's content lies at the front of each module, behind magic, version, id, length and name.
    let seeds: Vec<Vec<u8>> = modules()
        .iter()
        .filter_map(|module| {
            let length = usize::from(*module.get(9)?);
            (module.get(11..19)? == b"dylink.0").then(|| module.get(19..10 + length))?
        })
        .map(<[u8]>::to_vec)
        .collect();
    assert!(seeds.len() > 50);
    run("dylink_section", 20_000, &seeds, target("dylink_section"));
}

#[test]
fn module() {
    run("module", 20_000, &modules(), target("module"));
}

#[test]
fn plan() {
    let plans = case::all().into_iter().map(|case| {
        let files = case.files().expect("it can be read");
        files.plan(&|module, _| module == "test").to_bytes()
    });
    run("plan", 3_000, &plans.collect::<Vec<_>>(), target("plan"));
}

#[test]
fn story_on_the_fake_engine() {
    run("story", 600, &[], target("story"));
}

#[test]
fn story_on_wasmtime() {
    run("story", 150, &[], story::on::<process::WasmtimeSubject>);
    run("story", 150, &[], story::on::<process::PlannedSubject>);
}
