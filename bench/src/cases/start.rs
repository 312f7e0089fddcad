//! Start time of a process that does almost nothing.

use super::{Bench, Outcome};

pub(crate) fn start(bench: &Bench) -> Outcome {
    let mut samples = Vec::new();
    for (case, args) in [
        ("start, pass", &["-c", "pass"][..]),
        ("start, import json", &["-c", "import json"]),
        ("start, import asyncio", &["-c", "import asyncio"]),
    ] {
        let (mut guest, mut native) = (bench.guest(), bench.native());
        guest.args(args);
        native.args(args);
        samples.push(bench.commands(case, ("pymode run", guest), ("native python3.13", native))?);
    }
    Ok(samples)
}
