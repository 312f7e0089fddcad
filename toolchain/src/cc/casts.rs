//! Functions that CPython would call through a pointer of another type.
//!
//! Much C code gives CPython a function with fewer parameters than it is called with: a `METH_NOARGS` function or a getter
//! that takes only `self`, behind a cast. Native machines let the call pass; WebAssembly checks the type at each indirect
//! call and traps (core spec, 4.4.8). clang sees these casts, so each becomes an adapter that has the type which the caller
//! uses and drops the parameters that the function does not take.
//!
//! A function with *more* parameters than the cast says is the idiom for keywords: CPython casts back before it calls.

use std::ops::Range;

/// What a source says if it may hold such a cast; others are not looked at twice.
const SIGNS: &[&str] = &[
    "PyCFunction",
    "getter",
    "setter",
    "PyMethodDef",
    "PyGetSetDef",
    "PyType_Slot",
];

/// clang's flags to find them: one line each, with the place of the whole cast.
pub(super) const FIND: &[&str] = &[
    "-fsyntax-only",
    "-Wno-everything",
    "-Wcast-function-type-mismatch",
    "-Wno-error",
    "-fdiagnostics-print-source-range-info",
    "-fno-caret-diagnostics",
    "-fno-color-diagnostics",
    "-ferror-limit=1",
];

/// Whether a source may hold such a cast.
pub(super) fn may_be_in(source: &str) -> bool {
    SIGNS.iter().any(|sign| source.contains(sign))
}

/// A cast to a type through which the function cannot be called.
#[derive(Debug, PartialEq, Eq)]
struct Cast {
    /// Where it stands, in lines and columns from 1; the end is behind it.
    from: (usize, usize),
    to: (usize, usize),
    /// The type that it is cast to, as it was written.
    target: String,
    /// How it is called, and how it wants to be.
    called: Signature,
    wants: Signature,
}

/// A function's type as far as WebAssembly sees it, when all its values are `i32`.
#[derive(Debug, PartialEq, Eq)]
struct Signature {
    parameters: usize,
    returns: bool,
}

/// The source, preprocessed, with an adapter for each cast that clang named; and the casts, as they were written. None if there
/// is nothing to adapt.
pub(super) fn adapted(source: &str, said: &str, is_cxx: bool) -> Option<(String, Vec<String>)> {
    let lines = line_starts(source);
    let mut casts: Vec<(Range<usize>, Cast)> = said
        .lines()
        .filter_map(Cast::parse)
        .filter_map(|cast| Some((cast.place(source, &lines)?, cast)))
        .collect();
    casts.sort_by_key(|(place, _)| place.start);
    casts.dedup_by(|next, before| next.0.start < before.0.end);
    if casts.is_empty() {
        return None;
    }
    let (mut head, mut body, mut tail) = (String::new(), String::new(), String::from("\n"));
    let mut at = 0;
    for (n, (place, cast)) in casts.iter().enumerate() {
        let original = &source[place.clone()];
        body.push_str(&source[at..place.start]);
        at = place.end;
        if is_cxx {
            // A lambda, because a function at the file's end does not see into namespaces.
            body.push_str(&cast.lambda(original));
        } else {
            head.push_str(&format!("static {};", cast.head(n)));
            body.push_str(&format!("(({}){})", cast.target, name(n)));
            tail.push_str(&format!(
                "static {} {}\n",
                cast.head(n),
                cast.body(original)
            ));
        }
    }
    body.push_str(&source[at..]);
    let originals = casts
        .iter()
        .map(|(place, _)| source[place.clone()].to_owned());
    Some((format!("{head}{body}{tail}"), originals.collect()))
}

fn name(n: usize) -> String {
    format!("pymode_adapter_{n}")
}

impl Cast {
    /// `a.i:5613:36:{5613:36-5613:52}: warning: cast from 'A' (aka 'B') to 'C' (aka 'D') converts to …`
    fn parse(line: &str) -> Option<Self> {
        let (place, message) = line.split_once(": warning: cast from ")?;
        let range = place.split_once('{')?.1.split_once('}')?.0;
        let (from, to) = range.split_once('-')?;
        let point = |text: &str| {
            let (line, column) = text.split_once(':')?;
            Some((line.parse().ok()?, column.parse().ok()?))
        };
        let (source, target) = message
            .split_once(" converts to incompatible")?
            .0
            .split_once(" to '")?;
        let (written, target_type) = (target.split_once('\'')?.0, last_quoted(target)?);
        let cast = Self {
            from: point(from)?,
            to: point(to)?,
            target: written.to_owned(),
            called: Signature::parse(target_type)?,
            wants: Signature::parse(last_quoted(source)?)?,
        };
        (cast.wants.parameters <= cast.called.parameters && cast.wants != cast.called)
            .then_some(cast)
    }

    fn place(&self, source: &str, lines: &[usize]) -> Option<Range<usize>> {
        let offset = |(line, column): (usize, usize)| {
            Some(lines.get(line.checked_sub(1)?)? + column.checked_sub(1)?)
        };
        let place = offset(self.from)?..offset(self.to)?;
        source.get(place.clone()).map(|_| place)
    }

    fn parameters(&self) -> String {
        let all = (0..self.called.parameters).map(|n| format!("void *p{n}"));
        match self.called.parameters {
            0 => "void".to_owned(),
            _ => all.collect::<Vec<_>>().join(", "),
        }
    }

    fn head(&self, n: usize) -> String {
        format!(
            "{} {}({})",
            result(self.called.returns),
            name(n),
            self.parameters()
        )
    }

    fn lambda(&self, original: &str) -> String {
        format!(
            "(({})+[]({}) -> {} {})",
            self.target,
            self.parameters(),
            result(self.called.returns),
            self.body(original)
        )
    }

    /// Calls the function as it wants to be called.
    fn body(&self, original: &str) -> String {
        let types = vec!["void *"; self.wants.parameters].join(", ");
        let values: Vec<String> = (0..self.wants.parameters)
            .map(|n| format!("p{n}"))
            .collect();
        let unused: String = (self.wants.parameters..self.called.parameters)
            .map(|n| format!("(void)p{n}; "))
            .collect();
        let call = format!(
            "(({} (*)({}))({original}))({})",
            result(self.wants.returns),
            if types.is_empty() { "void" } else { &types },
            values.join(", ")
        );
        match (self.wants.returns, self.called.returns) {
            (true, true) => format!("{{ {unused}return {call}; }}"),
            (false, true) => format!("{{ {unused}{call}; return 0; }}"),
            (_, false) => format!("{{ {unused}{call}; }}"),
        }
    }
}

fn result(returns: bool) -> &'static str {
    if returns { "void *" } else { "void" }
}

impl Signature {
    /// `struct _object *(*)(struct _object *, void *)`; none if a value is not an `i32`, or there are variable ones.
    fn parse(text: &str) -> Option<Self> {
        let (result, rest) = text.split_once("(*)(")?;
        let parameters = rest
            .strip_suffix(" noexcept")
            .unwrap_or(rest)
            .strip_suffix(')')?;
        let parameters = match parameters.trim() {
            "" | "void" => 0,
            list => {
                let parts = parts(list);
                parts
                    .iter()
                    .all(|part| is_i32(part))
                    .then_some(parts.len())?
            }
        };
        let returns = match result.trim() {
            "void" => false,
            value => is_i32(value).then_some(true)?,
        };
        Some(Self {
            parameters,
            returns,
        })
    }
}

/// A list of types at its commas, those inside of parentheses aside.
fn parts(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '(' | '<' => depth += 1,
            ')' | '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(list[start..].trim());
    parts
}

/// Whether a type of C is passed as an `i32` on wasm32.
fn is_i32(text: &str) -> bool {
    let pointer = text.ends_with(['*', '&']) || text.contains("(*)") || text.ends_with("*const");
    let word = text
        .trim_start_matches("const ")
        .trim_start_matches("unsigned ");
    pointer
        || matches!(
            word,
            "int"
                | "long"
                | "unsigned"
                | "short"
                | "char"
                | "bool"
                | "_Bool"
                | "Py_ssize_t"
                | "size_t"
        )
}

fn last_quoted(text: &str) -> Option<&str> {
    let end = text.rfind('\'')?;
    let start = text[..end].rfind('\'').map_or(0, |at| at + 1);
    Some(&text[start..end])
}

fn line_starts(source: &str) -> Vec<usize> {
    let after = source.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "int x;\nM m = {(PyCFunction)one, (getter) get};\n";
    const SAID: &str = "a.i:2:8:{2:8-2:24}: warning: cast from 'PyObject *(*)(Obj *)' (aka 'struct _object *(*)(Obj *)') to 'PyCFunction' (aka 'struct _object *(*)(struct _object *, struct _object *)') converts to incompatible function type [-W]
a.i:2:26:{2:26-2:38}: warning: cast from 'void (*)(Obj *)' to 'getter' (aka 'struct _object *(*)(struct _object *, void *)') converts to incompatible function type [-W]
a.i:1:1:{1:1-1:4}: warning: cast from 'void *(*)(A *, B *, C *)' to 'PyCFunction' (aka 'void *(*)(A *, B *)') converts to incompatible function type [-W]
a.i:1:1:{1:1-1:4}: warning: cast from 'double (*)(A *)' to 'F' (aka 'double (*)(A *, B *)') converts to incompatible function type [-W]
";

    #[test]
    fn each_cast_gets_an_adapter() {
        let (text, casts) = adapted(SOURCE, SAID, false).expect("there are two");
        assert_eq!(casts, ["(PyCFunction)one", "(getter) get"]);
        assert_eq!(
            text,
            "static void * pymode_adapter_0(void *p0, void *p1);static void * pymode_adapter_1(void *p0, void *p1);int x;\n\
             M m = {((PyCFunction)pymode_adapter_0), ((getter)pymode_adapter_1)};\n\n\
             static void * pymode_adapter_0(void *p0, void *p1) { (void)p1; return ((void * (*)(void *))((PyCFunction)one))(p0); }\n\
             static void * pymode_adapter_1(void *p0, void *p1) { (void)p1; ((void (*)(void *))((getter) get))(p0); return 0; }\n"
        );
    }

    #[test]
    fn cxx_adapts_in_place() {
        let (text, _) = adapted(SOURCE, SAID, true).expect("there are two");
        assert!(text.contains("{((PyCFunction)+[](void *p0, void *p1) -> void * { (void)p1; return ((void * (*)(void *))((PyCFunction)one))(p0); }), "), "{text}");
    }

    #[test]
    fn what_is_called_as_it_wants_stays() {
        assert!(adapted(SOURCE, "", false).is_none());
        let more = SAID.lines().nth(2).expect("a line");
        assert!(
            adapted(SOURCE, more, false).is_none(),
            "the idiom for keywords"
        );
        for cut in 0..SAID.len() {
            let _ = adapted(SOURCE, &SAID[..cut], false);
        }
    }
}
