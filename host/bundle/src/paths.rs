//! Paths of a project's files in the guest and in the project.

use alloc::borrow::Cow;
use alloc::string::String;

/// Directory of the project's own modules in the guest.
pub const APP: &str = "/app";
/// Directory of these modules in the project.
pub const SOURCES: &str = "src";

/// Texts in front of a guest's path in messages of Python and of pymode.
const BEFORE: [&str; 3] = ["File \"", "`", "  in "];

/// Replaces paths of the project's modules with paths in the project: `/app/entry.py` in a message becomes `src/entry.py`.
/// Paths in other quotes are the program's own, and stay.
#[must_use]
pub fn in_the_project(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    for (at, _) in text.match_indices(APP) {
        let (before, after) = (&text[..at], &text[at + APP.len()..]);
        // A warning begins with a path.
        let begins_line = before.is_empty() || before.ends_with('\n');
        if after.starts_with('/')
            && (begins_line || BEFORE.iter().any(|known| before.ends_with(known)))
        {
            out.push_str(&text[done..at]);
            out.push_str(SOURCES);
            done = at + APP.len();
        }
    }
    if done == 0 {
        return text.into();
    }
    out.push_str(&text[done..]);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::in_the_project;

    #[test]
    fn messages_name_the_files_of_the_author() {
        for (seen, known) in [
            (
                "  File \"/app/entry.py\", line 3, in on_fetch\n",
                "  File \"src/entry.py\", line 3, in on_fetch\n",
            ),
            (
                "  |   File \"/app/a/b.py\", line 1\n  File \"/app/c.py\"",
                "  |   File \"src/a/b.py\", line 1\n  File \"src/c.py\"",
            ),
            (
                "/app/a.py:3: UserWarning: x\n/app/b.py:4: UserWarning: y",
                "src/a.py:3: UserWarning: x\nsrc/b.py:4: UserWarning: y",
            ),
            (
                "ImportError: cannot load `/app/one.wasm`: no",
                "ImportError: cannot load `src/one.wasm`: no",
            ),
            ("  in /app/one.wasm!f+0x1", "  in src/one.wasm!f+0x1"),
            // Messages of the program itself, and similar names.
            (
                "No such file or directory: '/app/data.txt'",
                "No such file or directory: '/app/data.txt'",
            ),
            ("opened /app/x", "opened /app/x"),
            ("File \"/apple/x.py\"", "File \"/apple/x.py\""),
            ("/app", "/app"),
            ("", ""),
        ] {
            assert_eq!(in_the_project(seen), known);
        }
    }
}
