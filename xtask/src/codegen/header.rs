//! Generates `abi/include/pymode.h`: the host's functions for C.

use std::fmt::Write as _;

use pymode_abi::model::{Import, Imports};
use pymode_abi::{EXT_SUFFIX, MODULE, PLATFORM_TAG, SECTION, VERSION};

/// Text of the file.
pub(super) fn text(imports: &Imports) -> String {
    let mut out = format!(
        "/* What the host gives a guest: the functions of the import module `{MODULE}`.\n \
         *\n \
         * Generated from abi/imports.toml by `cargo xtask codegen`.  Every pointer is\n \
         * followed by its length; text is UTF-8 and need not end in NUL.\n \
         */\n\n\
         #ifndef PYMODE_H\n#define PYMODE_H\n\n\
         #include <stddef.h>\n#include <stdint.h>\n\n\
         /* The contract's version, and the names that carry it. */\n\
         #define PYMODE_ABI_VERSION {VERSION}\n\
         #define PYMODE_ABI_SECTION \"{SECTION}\"\n\
         #define PYMODE_EXT_SUFFIX \"{EXT_SUFFIX}\"\n\
         #define PYMODE_PLATFORM_TAG \"{PLATFORM_TAG}\"\n\n\
         #define PYMODE_IMPORT(name) \\\n    \
         __attribute__((import_module(\"{MODULE}\"), import_name(name)))\n\n\
         #ifdef __cplusplus\nextern \"C\" {{\n#endif\n"
    );
    for (name, import) in imports {
        let _ = write!(
            out,
            "\n{}PYMODE_IMPORT(\"{name}\")\n{}",
            comment(import),
            prototype(name, import)
        );
    }
    out.push_str("\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* PYMODE_H */\n");
    out
}

fn comment(import: &Import) -> String {
    let mut lines = wrap(&import.doc, 74);
    for param in &import.params {
        lines.extend(wrap(&format!("- {}: {}", param.name, param.doc), 74));
    }
    if let Some(result) = &import.result {
        lines.extend(wrap(&format!("Returns {}.", result.doc), 74));
    }
    lines.extend(wrap(&format!("On failure: {}.", import.errors), 74));
    if import.may_suspend {
        lines.push("May suspend the guest.".to_owned());
    }
    format!("/* {}\n */\n", lines.join("\n * "))
}

fn prototype(name: &str, import: &Import) -> String {
    let result = import
        .result
        .as_ref()
        .map_or("void", |result| result.c_type.text());
    let params: Vec<_> = import
        .params
        .iter()
        .map(|param| declare(param.c_type.text(), &param.name))
        .collect();
    let params = if params.is_empty() {
        "void".to_owned()
    } else {
        params.join(", ")
    };
    let start = declare(result, &format!("pymode_{name}("));
    let line = format!("{start}{params});\n");
    match line.len() <= 80 {
        true => line,
        false => format!(
            "{start}{});\n",
            params.replace(", ", &format!(",\n{}", " ".repeat(start.len())))
        ),
    }
}

/// `const char *` and `path` become `const char *path`, `int` and `flags` become `int flags`.
fn declare(c_type: &str, name: &str) -> String {
    let gap = if c_type.ends_with('*') { "" } else { " " };
    format!("{c_type}{gap}{name}")
}

/// Wraps text to `width` characters, except for longer words.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
