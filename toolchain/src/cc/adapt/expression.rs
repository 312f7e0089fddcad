//! Expressions of preprocessed C and C++, as text.

use std::ops::Range;

/// An expression without its casts and parentheses.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operand<'t> {
    /// A name: `f`, `a::b`.
    Name(&'t str),
    /// `condition ? a : b`: a choice between two expressions.
    Choice(&'t str, &'t str, &'t str),
}

impl<'t> Operand<'t> {
    /// Looks below the casts and parentheses of `f`, `&f`, `(void *)f`, `(initproc)f`, `(reinterpret_cast<void *>(f))`,
    /// `(x ? f : g)`.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        Self::below(text, false)
    }

    /// Looks below `void_cast(f)`, too, which is a call as well as a cast.
    fn below(text: &'t str, calls: bool) -> Option<Self> {
        let mut text = text.trim();
        loop {
            text = text.strip_prefix('&').unwrap_or(text).trim();
            if let Some((condition, then, other)) = choice(text) {
                return Some(Self::Choice(condition, then, other));
            }
            // The type in the words of C++ may have parentheses of its own.
            let from = behind_type(text).unwrap_or(0);
            let Some(open) = text[from..].find('(').map(|open| from + open) else {
                return is_name(text).then_some(Self::Name(text));
            };
            let close = open + closing(&text[open..])?;
            let (head, rest) = (text[..open].trim(), text[close + 1..].trim());
            text = match (head.is_empty(), rest.is_empty()) {
                // Parentheses, or a cast in the words of C++.
                (true, true) => &text[open + 1..close],
                (false, true) if head.ends_with('>') || (calls && is_name(head)) => {
                    &text[open + 1..close]
                }
                // A cast in the words of C.
                (true, false) => rest,
                _ => return None,
            }
            .trim();
        }
    }

    /// The name of the function; none for a choice.
    pub(super) fn name(text: &'t str) -> Option<&'t str> {
        match Self::of(text)? {
            Self::Name(name) => Some(name),
            Self::Choice(..) => None,
        }
    }
}

/// An expression of functions, each cast to a type: `(reprfunc)f`, `(x ? (reprfunc)f : (reprfunc)0)`. A call in it is taken
/// for a cast: in a table of constants, it is one.
pub(super) fn cast(text: &str, to: &str) -> Option<String> {
    match Operand::below(text, true)? {
        Operand::Name(name) => Some(format!("{to}{name}")),
        Operand::Choice(condition, then, other) => {
            let sides = [then, other]
                .map(|side| cast(side, to).unwrap_or_else(|| format!("{to}({})", side.trim())));
            let names = [then, other]
                .iter()
                .any(|side| Operand::below(side, true).is_some());
            let [then, other] = sides;
            names.then(|| format!("({condition}? {then} : {other})"))
        }
    }
}

/// Returns the end of `reinterpret_cast<…>`, if the text begins with it.
fn behind_type(text: &str) -> Option<usize> {
    let open = text.find('<')?;
    let name = text[..open].trim_end();
    (is_name(name) && name.ends_with("_cast")).then_some(())?;
    let mut depth = 0usize;
    for (at, byte) in code(text.as_bytes(), open) {
        match byte {
            b'<' => depth += 1,
            b'>' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// The three parts of `condition ? a : b`, if that is the outermost operator.
fn choice(text: &str) -> Option<(&str, &str, &str)> {
    let bytes = text.as_bytes();
    let (mut depth, mut question, mut nested) = (0usize, None, 0usize);
    for (at, byte) in code(bytes, 0) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            b'?' if depth == 0 && question.is_none() => question = Some(at),
            b'?' if depth == 0 => nested += 1,
            b':' if depth == 0 => {
                let is_scope = bytes.get(at + 1) == Some(&b':') || bytes[..at].ends_with(b":");
                match question {
                    _ if is_scope => {}
                    Some(question) if nested == 0 => {
                        return Some((&text[..question], &text[question + 1..at], &text[at + 1..]));
                    }
                    Some(_) => nested -= 1,
                    None => return None,
                }
            }
            b',' | b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Returns the place where the text's first parenthesis closes.
pub(super) fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in code(text.as_bytes(), 0) {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The inside of the braces that open at `open`.
pub(super) fn braces(source: &str, open: usize) -> Option<Range<usize>> {
    let mut depth = 0usize;
    for (at, byte) in code(source.as_bytes(), open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(open + 1..at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The parts between the commas of a list, those inside of brackets aside.
pub(super) fn list(source: &str, within: Range<usize>) -> Vec<Range<usize>> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0i32, within.start);
    for (at, byte) in code(source.as_bytes(), within.start).take_while(|(at, _)| *at < within.end) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !source[start..within.end].trim().is_empty() {
        parts.push(start..within.end);
    }
    parts
}

/// The bytes from a place on, without those of texts and characters.
pub(super) fn code(source: &[u8], from: usize) -> impl Iterator<Item = (usize, u8)> + '_ {
    let mut quote = None;
    let mut escaped = false;
    (from..source.len()).filter_map(move |at| {
        let byte = source[at];
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if byte == b'\\' => escaped = true,
            Some(end) if byte == end => quote = None,
            Some(_) => {}
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None => return Some((at, byte)),
        }
        None
    })
}

/// The identifiers of a text, with the offsets at which they start.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|c| !is_part_of_name(c))
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr().addr() - text.as_ptr().addr(), word))
}

pub(super) fn is_part_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Returns true for a name of a function, with or without the scopes around it.
pub(super) fn is_name(text: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphabetic() || "_:".contains(c);
    text.starts_with(starts) && text.chars().all(|c| is_part_of_name(c) || c == ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_and_parentheses_are_seen_through() {
        for text in [
            "f",
            " &f ",
            "(f)",
            "(void *)f",
            "(A)(void (*)(void))(f)",
            "((A)(((void(*)(void))((f)))))",
            "(reinterpret_cast<void *>(f))",
            "static_cast< a::b >(&f)",
            "reinterpret_cast<A<int>>(reinterpret_cast<void (*)()>(f))",
        ] {
            assert_eq!(Operand::of(text), Some(Operand::Name("f")), "{text}");
        }
        assert_eq!(cast("void_cast(f)", "(R)").as_deref(), Some("(R)f"));
        for text in [
            "0",
            "(void *)0",
            "g(f)",
            "f(x)(y)",
            "a[0]",
            "p->f",
            "",
            "f(",
            "(f",
        ] {
            assert_eq!(Operand::of(text), None, "{text}");
        }
    }

    #[test]
    fn each_side_of_a_choice_is_cast() {
        assert_eq!(cast("(void *)f", "(R)").as_deref(), Some("(R)f"));
        assert_eq!(
            cast("(void *)(x > 1 ? f : ((void *)0))", "(R)").as_deref(),
            Some("(x > 1 ? (R)f : (R)(((void *)0)))")
        );
        assert_eq!(
            cast("a::b ? a::f : c ? g : h", "(R)").as_deref(),
            Some("(a::b ? (R)a::f : (c ? (R)g : (R)h))")
        );
        assert_eq!(cast("0 ? 1 : 2", "(R)"), None);
    }

    #[test]
    fn words_have_their_offsets() {
        let found: Vec<_> = words("a, (b_1)+é c").collect();
        assert_eq!(found, [(0, "a"), (4, "b_1"), (12, "c")]);
    }
}
