//! `abi/exports.toml`: a line for each export, by reason and name.

use std::fmt::Write as _;

use pymode_abi::Why;
use pymode_abi::model::Exports;

/// The whole file.
pub(super) fn text(exports: &Exports) -> String {
    let mut out = String::from(
        "# What python.wasm exports for side modules.\n\
         # Derived from the archives' symbols and `policy.toml` by `cargo xtask codegen`.\n",
    );
    for why in Why::ALL {
        let group: Vec<_> = exports
            .iter()
            .filter(|(_, (reason, _))| *reason == why)
            .collect();
        let _ = writeln!(
            out,
            "\n# {}: {} exports\n[{}]",
            title(why),
            group.len(),
            why.heading()
        );
        for (name, (_, kind)) in group {
            let _ = writeln!(out, "{name} = \"{kind}\"");
        }
    }
    out
}

fn title(why: Why) -> &'static str {
    match why {
        Why::Runtime => {
            "What python.wasm has besides Python and libc: memory, stack, table, and functions of its own"
        }
        Why::Python => "The C API",
        Why::Libc => "C11, mathematics, and the POSIX functions that WASI has",
        Why::CompilerRt => "What the compiler calls without being asked",
    }
}
