//! Side modules are hostile until they are checked: whatever the bytes are, reading them ends, with a description or with an
//! error, and a description can be planned.

use pymode_dylink::{ModuleInfo, OpenFlags, now, preview};
use pymode_dylink_conformance::case;
use pymode_dylink_conformance::fake::Fake;
use pymode_dylink_conformance::files::{Files, MAIN};

/// Every side module of every case.
fn modules() -> Vec<(Files, String, Vec<u8>)> {
    let cases = case::all();
    let mut modules = Vec::new();
    for case in &cases {
        let files = case.files().expect("the case can be read");
        for path in files.paths() {
            if path != MAIN {
                let bytes = files.read(&path).expect("the file is there");
                modules.push((files.clone(), path, bytes));
            }
        }
    }
    assert!(modules.len() > 50, "the cases have many modules");
    modules
}

#[test]
fn every_cut() {
    for (_, path, bytes) in modules() {
        for length in 0..bytes.len() {
            if let Ok(info) = ModuleInfo::from_bytes(&bytes[..length]) {
                // A file may end after any section: then what is there is whole.
                assert!(info.imports.len() <= bytes.len(), "{path} cut at {length}");
            }
            let _ = ModuleInfo::main_from_bytes(&bytes[..length]);
        }
    }
}

#[test]
fn every_flipped_byte() {
    for (_, _, bytes) in modules() {
        for at in 0..bytes.len() {
            for flip in [0x01, 0x40, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                let _ = ModuleInfo::from_bytes(&bytes);
                let _ = ModuleInfo::main_from_bytes(&bytes);
            }
        }
    }
}

/// A description that differs from what the linker expects in any way still gives a plan or an error.
#[test]
fn what_can_be_read_can_be_planned() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut planned = 0;
    for (files, path, bytes) in modules() {
        for _ in 0..200 {
            let mut bytes = bytes.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len().max(1));
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
            if ModuleInfo::from_bytes(&bytes).is_err() {
                continue;
            }
            let mut files = files.clone();
            files.add(&path, bytes);
            let mut fake = Fake::process(files);
            let path = format!("/{path}");
            if now(preview(&mut fake, &path, OpenFlags::default())).is_ok() {
                planned += 1;
            }
        }
    }
    assert!(planned > 500, "only {planned} were planned");
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Checks that main's list of linked libraries is validated before any effect.
#[test]
fn what_main_says_of_its_libraries_is_checked() {
    let main = |section: &str| {
        let text = format!(
            r#"(module
                (@custom "pymode.link" "{section}")
                (import "env" "passed" (func $passed))
                (memory 1) (table 8 funcref)
                (elem (i32.const 2) func $stub)
                (func $stub (export "plt.stub"))
                (func (export "plt.unplaced"))
                (export "plt.passed" (func $passed))
                (data (i32.const 1024) "12345678")
                (global (export "datum") i32 (i32.const 1028))
                (global (export "early") i32 (i32.const 0))
                (global (export "late") i32 (i32.const -4)))"#
        );
        ModuleInfo::main_from_bytes(&wat::parse_str(text).expect("it is well-formed"))
    };
    let good = main(r"\40\06\01\04stub\41\08\01\05datum\04").expect("it is well");
    assert_eq!(good.substitutes.stubs.len(), 1);
    assert_eq!(good.substitutes.copies[0].address, 1028);
    for section in [
        // A stub that is not there, one that has no slot, one that is passed on, a datum.
        r"\40\06\01\04none",
        r"\40\0a\01\08unplaced",
        r"\40\08\01\06passed",
        r"\40\07\01\05datum",
        // A copy that is not there, one that is a function, and copies that begin before main's data or end behind it.
        r"\41\07\01\04none\04",
        r"\41\0b\01\08plt.stub\04",
        r"\41\08\01\05early\04",
        r"\41\08\01\05datum\05",
        r"\41\0c\01\05datum\ff\ff\ff\ff\0f",
        r"\41\07\01\04late\04",
        // Counts and lengths beyond the end.
        r"\40\05\ff\ff\ff\ff\0f",
        r"\41\ff\ff\ff\ff\0f",
        r"\02\03\01\09l",
        r"\40\02\01\09",
    ] {
        assert!(main(section).is_err(), "{section}");
    }
    // What is not known is skipped by its length.
    assert!(main(r"\7f\02ab").is_ok());
}
