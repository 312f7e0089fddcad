//! Formats `abi/exports.toml`: a line for each export, by reason and name.

use std::fmt::Write as _;

use pymode_abi::Why;
use pymode_abi::model::Exports;

/// Text of the file.
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
            "Parts of python.wasm besides Python and libc: memory, stack, table, and its own functions"
        }
        Why::Python => "The C API",
        Why::Libc => "C11, mathematics, and the POSIX functions of WASI",
        Why::CompilerRt => "Functions that the compiler calls implicitly",
    }
}
