//! Programs that keep the interpreter busy for about a second, against the same CPython compiled natively.

use std::path::Path;

use super::{Bench, Outcome};

/// A program in `programs/`, and its size.
const PROGRAMS: &[(&str, &str)] = &[
    ("nbody", "20000"),
    ("objects", "300000"),
    ("library", "400"),
];

pub(crate) fn interpreter(bench: &Bench) -> Outcome {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs");
    let mut samples = Vec::new();
    for (program, amount) in PROGRAMS {
        let script = folder.join(format!("{program}.py"));
        let (mut guest, mut native) = (bench.guest(), bench.native());
        guest.arg(&script).arg(amount);
        native.arg(&script).arg(amount);
        let case = format!("interpreter, {program}");
        samples.push(bench.commands(
            &case,
            ("pymode run", guest),
            ("native python3.13", native),
        )?);
    }
    Ok(samples)
}
