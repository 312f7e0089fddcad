//! Functions that are passed or assigned: callbacks of libc and CPython, casts through `void *`, and definitions without a
//! prototype. Each is written so that clang sees as which type the function is called.

use std::ops::Range;

use super::edits::Edits;
use super::expression::{Operand, cast, closing, is_part_of_name, list, words};
use super::known;

/// Casts each function that is passed to a function of libc or CPython which calls it. Returns true if there was one.
pub(super) fn cast_callbacks(source: &str, edits: &mut Edits) -> bool {
    let mut found = false;
    for (start, name) in words(source) {
        let Some((position, called)) = known::caller(name) else {
            continue;
        };
        let open = start + name.len();
        let open = open + blanks(&source[open..]);
        if !source[open..].starts_with('(') || is_declared(&source[..start]) {
            continue;
        }
        let Some(close) = closing(&source[open..]) else {
            continue;
        };
        let arguments = list(source, open + 1..open + close);
        let Some(argument) = arguments.get(position) else {
            continue;
        };
        if let Some(Operand::Name(_) | Operand::Choice(..)) = Operand::of(&source[argument.clone()])
            && let Some(cast) = cast(&source[argument.clone()], &format!("({called})"))
        {
            edits.replace(argument.clone(), cast);
            found = true;
        }
    }
    found
}

/// Returns true if what stands before a name makes it a declaration, or a member: `void qsort(`, `*signal(`, `a.signal(`.
fn is_declared(before: &str) -> bool {
    let before = before.trim_end();
    if before.ends_with("->") {
        return true;
    }
    if before.ends_with(['*', '&', '.', '>']) {
        return true;
    }
    let word = before.rsplit(|c: char| !is_part_of_name(c)).next();
    word.is_some_and(|word| !word.is_empty() && !["return", "else", "do"].contains(&word))
}

/// Drops `(void *)` and `(void (*)(void))` between a function and the type that it is called as, and puts the cast of a choice on
/// each of its sides: `(reprfunc)(void *)f`, `(reprfunc)(x ? f : g)`.
pub(super) fn see_through_casts(source: &str, edits: &mut Edits) {
    for (start, name) in words(source) {
        if !known::is_called(name) {
            continue;
        }
        let before = source[..start].trim_end();
        let after = start + name.len();
        let close = after + blanks(&source[after..]);
        if !before.ends_with('(') || !source[close..].starts_with(')') {
            continue;
        }
        let Some(operand) = operand(source, close + 1) else {
            continue;
        };
        let text = &source[operand.clone()];
        let replacement = match Operand::of(text) {
            Some(Operand::Name(function)) if text.trim() != function => function.to_owned(),
            Some(Operand::Choice(..)) => {
                let Some(cast) = cast(text, &format!("({name})")) else {
                    continue;
                };
                // The parenthesis of the outer cast goes with its operand.
                edits.replace(before.len() - 1..operand.end, cast);
                continue;
            }
            _ => continue,
        };
        edits.replace(operand, replacement);
    }
}

/// Returns the operand of a cast: casts, then a name or parentheses; none for a call, an element and a member.
fn operand(source: &str, start: usize) -> Option<Range<usize>> {
    let mut at = start;
    loop {
        at += blanks(&source[at..]);
        let rest = &source[at..];
        let end = match rest.chars().next()? {
            '&' => {
                at += 1;
                continue;
            }
            '(' => at + closing(rest)? + 1,
            c if is_part_of_name(c) || c == ':' => {
                let name = rest.find(|c: char| !is_part_of_name(c) && c != ':');
                at + name.unwrap_or(rest.len())
            }
            _ => return None,
        };
        let next = end + blanks(&source[end..]);
        match source[next..].chars().next() {
            // A cast ends here, and what it applies to follows.
            Some(c) if rest.starts_with('(') && (c == '(' || c == '&' || is_part_of_name(c)) => {
                at = end;
            }
            Some('(' | '[' | '.' | '<') => return None,
            Some('-') if source[next..].starts_with("->") => return None,
            _ => return Some(start..end),
        }
    }
}

/// Gives `f() {…}` in C the prototype that it has once it is defined: no parameters.
pub(super) fn add_prototypes(source: &str, edits: &mut Edits) {
    let definitions: Vec<(&str, Range<usize>)> = words(source)
        .filter_map(|(start, name)| {
            let open = start + name.len();
            let open = open + blanks(&source[open..]);
            let close = source[open..].starts_with('(').then_some(open + 1)?;
            let close = close + blanks(&source[close..]);
            let behind = source[close..].strip_prefix(')')?.trim_start();
            behind.starts_with('{').then_some((name, open..close + 1))
        })
        .collect();
    if definitions.is_empty() {
        return;
    }
    // Somebody who passes arguments nevertheless is to go on.
    let mut called: Vec<&str> = words(source)
        .filter(|(start, name)| {
            let rest = source[start + name.len()..].trim_start();
            rest.strip_prefix('(')
                .is_some_and(|rest| !rest.trim_start().starts_with(')'))
        })
        .map(|(_, name)| name)
        .collect();
    called.sort_unstable();
    for (name, place) in definitions {
        if called.binary_search(&name).is_err() {
            edits.replace(place, "(void)".to_owned());
        }
    }
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(pass: impl FnOnce(&str, &mut Edits), source: &str) -> String {
        let mut edits = Edits::default();
        pass(source, &mut edits);
        edits.apply(source)
    }

    #[test]
    fn callbacks_have_the_type_that_they_are_called_as() {
        let pass = |source: &str, edits: &mut Edits| {
            cast_callbacks(source, edits);
        };
        for (source, typed) in [
            (
                "qsort(a, f(1, 2), c, by);",
                "qsort(a, f(1, 2), c,(pymode_call_compare)by);",
            ),
            (
                "return atexit((void (*)(void))f);",
                "return atexit((pymode_call_plain)f);",
            ),
            (
                "std::atexit(x ? f : g);",
                "std::atexit((x ? (pymode_call_plain)f : (pymode_call_plain)g));",
            ),
            (
                "PyCapsule_New(p, \",\", (PyCapsule_Destructor)f)",
                "PyCapsule_New(p, \",\",(PyCapsule_Destructor)f)",
            ),
            ("int atexit(callback);", "int atexit(callback);"),
            (
                "extern void (*signal(int, handler))(int);",
                "extern void (*signal(int, handler))(int);",
            ),
            (
                "a.signal(1, f); a->signal(1, f); signal(2, (void (*)(int))1);",
                "a.signal(1, f); a->signal(1, f); signal(2, (void (*)(int))1);",
            ),
            ("atexit(f", "atexit(f"),
        ] {
            assert_eq!(edited(pass, source), typed);
        }
    }

    #[test]
    fn a_cast_shows_the_function() {
        for (source, typed) in [
            ("x = (reprfunc)(void *)f;", "x = (reprfunc)f;"),
            ("{(getter) (void (*)(void)) (f), 0}", "{(getter)f, 0}"),
            (
                "(reprfunc)(x ? f : 0), 1",
                "(x ? (reprfunc)f : (reprfunc)(0)), 1",
            ),
            ("(reprfunc)f", "(reprfunc)f"),
            ("(reprfunc)(void *)f(1)", "(reprfunc)(void *)f(1)"),
            ("(reprfunc)(void *)t->f", "(reprfunc)(void *)t->f"),
            (
                "reprfunc f; (PyCFunction)(void *)f",
                "reprfunc f; (PyCFunction)(void *)f",
            ),
        ] {
            assert_eq!(edited(see_through_casts, source), typed);
        }
    }

    #[test]
    fn a_definition_has_a_prototype() {
        for (source, typed) in [
            ("int f() { return f(); }", "int f(void) { return f(); }"),
            ("int f(); int f( )\n{}", "int f(); int f(void)\n{}"),
            ("int f() {} int x = f(1);", "int f() {} int x = f(1);"),
            ("int f();", "int f();"),
        ] {
            assert_eq!(edited(add_prototypes, source), typed);
        }
    }
}
