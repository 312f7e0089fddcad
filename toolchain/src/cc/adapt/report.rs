//! clang's reports of functions that become pointers of another type.

use std::ops::Range;

/// clang's flags to report them: one line each, with the place of the whole expression.
pub(super) const FIND: &[&str] = &[
    "-fsyntax-only",
    "-Wno-everything",
    "-Wcast-function-type-strict",
    "-Wincompatible-function-pointer-types",
    "-Wno-error",
    "-Wno-error=incompatible-function-pointer-types",
    "-fdiagnostics-print-source-range-info",
    "-fno-caret-diagnostics",
    "-fno-color-diagnostics",
    "-ferror-limit=1",
];

/// A type as clang prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Type {
    /// As it was written.
    pub(super) written: String,
    /// Without the names of other types.
    pub(super) meant: String,
}

/// An expression that becomes a pointer of another type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CastReport {
    pub(super) place: Range<usize>,
    pub(super) from: Type,
    pub(super) to: Type,
    /// Nobody wrote a cast.
    pub(super) is_implicit: bool,
}

impl CastReport {
    /// All reports about a source, in the order of their places.
    pub(super) fn parse_all(source: &str, diagnostics: &str) -> Vec<Self> {
        let lines = line_starts(source);
        let mut reports: Vec<Self> = diagnostics
            .lines()
            .filter_map(|line| Self::parse(line, source, &lines))
            .collect();
        // Of two that begin together, the outer one comes first.
        reports.sort_by_key(|report| (report.place.start, usize::MAX - report.place.end));
        reports
    }

    /// `a.c:5613:36:{5613:36-5613:52}: warning: cast from 'A' (aka 'B') to 'C' (aka 'D') converts to …`
    fn parse(line: &str, source: &str, lines: &[usize]) -> Option<Self> {
        let (place, message) = line.split_once(": warning: ")?;
        let range = place.split_once('{')?.1.split_once('}')?.0;
        let (from, to) = range.split_once('-')?;
        let offset = |text: &str| {
            let (line, column) = text.split_once(':')?;
            let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
            Some(lines.get(line.checked_sub(1)?)? + column.checked_sub(1)?)
        };
        let place = offset(from)?..offset(to)?;
        source.get(place.clone())?;
        let [first, second] = <[Type; 2]>::try_from(types(message)).ok()?;
        let is_implicit = message.starts_with("incompatible function pointer types");
        // The type comes before what is assigned to it, and behind what is passed or returned.
        let is_turned = message.contains(" initializing ") || message.contains(" assigning to ");
        let (from, to) = match is_implicit && is_turned {
            true => (second, first),
            false => (first, second),
        };
        (is_implicit || message.starts_with("cast from ")).then_some(Self {
            place,
            from,
            to,
            is_implicit,
        })
    }
}

/// The places of errors, as offsets.
pub(super) fn errors(source: &str, diagnostics: &str) -> Vec<usize> {
    let lines = line_starts(source);
    let error = |line: &str| {
        let (place, _) = line.split_once(": error: ")?;
        // Ranges may follow the place.
        let place = place.split(":{").next()?;
        let mut numbers = place.rsplit(':');
        let (column, line): (usize, usize) =
            (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        Some(lines.get(line.checked_sub(1)?)? + column.checked_sub(1)?)
    };
    diagnostics.lines().filter_map(error).collect()
}

/// The types that a message quotes: `'A' (aka 'B')` is one.
fn types(message: &str) -> Vec<Type> {
    let mut types: Vec<Type> = Vec::new();
    let mut parts = message.split('\'');
    while let (Some(before), Some(quoted)) = (parts.next(), parts.next()) {
        match types.last_mut() {
            Some(last) if before.ends_with("(aka ") => last.meant = quoted.to_owned(),
            _ => types.push(Type {
                written: quoted.to_owned(),
                meant: quoted.to_owned(),
            }),
        }
    }
    types
}

fn line_starts(source: &str) -> Vec<usize> {
    let after = source.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "int x;\nM m = {(PyCFunction)one, get};\n";
    const DIAGNOSTICS: &str = "a.c:2:8:{2:8-2:24}: warning: cast from 'PyObject *(*)(Obj *)' (aka 'struct _object *(*)(Obj *)') to 'PyCFunction' (aka 'struct _object *(*)(struct _object *, struct _object *)') converts to incompatible function type [-W]
    2 | …
a.c:2:26:{2:26-2:29}: warning: incompatible function pointer types initializing 'getter' (aka 'void *(*)(void *, void *)') with an expression of type 'void (Obj *)' [-W]
a.c:2:26:{2:26-2:29}: warning: incompatible function pointer types passing 'void (Obj *)' to parameter of type 'getter' [-W]
a.c:9:1:{9:1-9:4}: warning: cast from 'A' to 'B' converts to incompatible function type [-W]
";

    #[test]
    fn each_report_has_its_types() {
        let reports = CastReport::parse_all(SOURCE, DIAGNOSTICS);
        let seen: Vec<_> = reports
            .iter()
            .map(|report| {
                (
                    &SOURCE[report.place.clone()],
                    report.from.meant.as_str(),
                    report.to.written.as_str(),
                    report.is_implicit,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                (
                    "(PyCFunction)one",
                    "struct _object *(*)(Obj *)",
                    "PyCFunction",
                    false
                ),
                ("get", "void (Obj *)", "getter", true),
                ("get", "void (Obj *)", "getter", true),
            ]
        );
    }

    #[test]
    fn errors_have_their_places() {
        let diagnostics = "/a:b/c.c:2:3:{2:3-2:5}: error: x\nc.c:1:2: error: y\nc.c:1:2: note: z\n";
        assert_eq!(errors(SOURCE, diagnostics), [9, 1]);
    }

    #[test]
    fn what_is_cut_short_is_no_report() {
        for (cut, _) in DIAGNOSTICS.char_indices() {
            let _ = CastReport::parse_all(SOURCE, &DIAGNOSTICS[..cut]);
        }
    }
}
