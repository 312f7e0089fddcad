//! Generates `abi/ABI.md`: the contract for readers.

use std::fmt::Write as _;

use pymode_abi::model::{ExportKind, Exports, Import, Imports};
use pymode_abi::{EXT_SUFFIX, MODULE, PLATFORM_TAG, SECTION, VERSION, WHEEL_TAG, Why};

use super::header::wrap;
use super::policy::{Policy, Reasons};

/// Text of the page.
pub(super) fn text(imports: &Imports, exports: &Exports, policy: &Policy) -> String {
    let mut out = format!(
        "# The contract between python.wasm, its host and its side modules\n\n\
         Generated from `imports.toml`, `exports.toml` and `policy.toml` by `cargo xtask codegen`.\n\n\
         This is version {VERSION}. The custom section `{SECTION}` of python.wasm and of each side module contains it as an\n\
         unsigned LEB128 number. A host refuses a module of another version. These names contain the version:\n\n\
         | | |\n|---|---|\n\
         | suffix of an extension module | `{EXT_SUFFIX}` (plain `.wasm` is accepted, too) |\n\
         | platform tag of a wheel | `{PLATFORM_TAG}` |\n\
         | full tag of a wheel | `{WHEEL_TAG}` |\n\n\
         `pymode abi check FILE` checks a python.wasm or a side module against the contract.\n\n\
         ## Host functions: module `{MODULE}`\n\n\
         Every pointer is followed by its length; text is UTF-8 without a terminating NUL. The host checks each range against the\n\
         guest's memory before it reads or writes there. `include/pymode.h` declares these functions for C.\n"
    );
    for (name, import) in imports {
        function(&mut out, name, import);
    }
    out.push_str(
        "\nA module may also import from `wasi_snapshot_preview1`.\n\n\
         ## Exports of python.wasm for side modules\n\n\
         A side module has no malloc, stdio, errno or environ of its own: it imports them. `exports.toml` has the type of each\n\
         symbol. A C object (`data`) is an immutable global with its absolute address.\n\n\
         | why | functions | objects | other |\n|---|---|---|---|\n",
    );
    for why in Why::ALL {
        let count = |wanted: fn(&ExportKind) -> bool| {
            exports
                .values()
                .filter(|(reason, kind)| *reason == why && wanted(kind))
                .count()
        };
        let (functions, objects) = (
            count(|kind| matches!(kind, ExportKind::Function(_))),
            count(|kind| *kind == ExportKind::Data),
        );
        let other = count(|_| true) - functions - objects;
        let _ = writeln!(out, "| {why} | {functions} | {objects} | {other} |");
    }
    names(&mut out, "Neither Python nor libc", exports, |why, _| {
        why == Why::Runtime
    });
    names(&mut out, "The C API's objects", exports, |why, kind| {
        why == Why::Python && *kind == ExportKind::Data
    });
    names(&mut out, "libc", exports, |why, _| why == Why::Libc);
    names(&mut out, "The compiler's runtime", exports, |why, _| {
        why == Why::CompilerRt
    });
    out.push_str("\n## Omitted parts of libc\n\n");
    reasons(&mut out, &policy.libc.leave_out);
    out.push_str("\nSymbols without a header are exported when something needs them:\n\n");
    reasons(&mut out, &policy.libc.also);
    out
}

fn function(out: &mut String, name: &str, import: &Import) {
    let _ = writeln!(
        out,
        "\n### `{name}`: `{}`\n\n{}\n",
        import.signature(),
        import.doc
    );
    for param in &import.params {
        let _ = writeln!(
            out,
            "* `{}` (`{}`): {}",
            param.name,
            param.c_type.text(),
            param.doc
        );
    }
    if let Some(result) = &import.result {
        let _ = writeln!(out, "* returns `{}`: {}", result.c_type.text(), result.doc);
    }
    let waits = if import.may_suspend {
        "may suspend the guest"
    } else {
        "does not suspend the guest"
    };
    let _ = writeln!(out, "* on failure: {}\n* {waits}", import.errors);
}

fn names(out: &mut String, title: &str, exports: &Exports, wanted: fn(Why, &ExportKind) -> bool) {
    let list: Vec<_> = exports
        .iter()
        .filter(|(_, (why, kind))| wanted(*why, kind))
        .map(|(name, _)| name.as_str())
        .collect();
    let _ = writeln!(
        out,
        "\n### {title}\n\n```text\n{}\n```",
        wrap(&list.join(" "), 116).join("\n")
    );
}

fn reasons(out: &mut String, reasons: &Reasons) {
    for (pattern, reason) in reasons {
        let _ = writeln!(out, "* `{pattern}`: {reason}");
    }
}
