//! Functions that would be called through a pointer of another type.
//!
//! Much C code gives CPython a function whose type is not that which it is called as: a `METH_NOARGS` function that takes only
//! `self`, a `tp_repr` that takes two parameters, a getter that returns nothing, behind a cast. Native machines let the call
//! pass; WebAssembly checks the type at each indirect call and traps (core spec, 4.4.8). clang reports these casts, so each
//! becomes an adapter that has the type which the caller uses: it drops the parameters that the function does not take, and
//! passes zeros for those that the caller does not give.
//!
//! A function with *more* parameters than `PyCFunction` is the idiom for keywords: the method's flags say how CPython calls it.
//! Of a type that is nobody's we know, a function with more parameters stays as well: most are cast back before they are called.

use std::collections::HashMap;
use std::ops::Range;

use super::adapter::{Adapter, name};
use super::edits::Edits;
use super::expression::Operand;
use super::known;
use super::report::{CastReport, Type};
use super::signature::{CSignature, Value, has_no_prototype};

/// The decisions about the casts of a source.
#[derive(Debug, Default)]
pub(super) struct Casts {
    adapters: Vec<Adapter>,
    problems: Vec<Problem>,
}

/// A cast for which no adapter can be made.
#[derive(Debug)]
struct Problem {
    at: usize,
    message: String,
}

/// The source with its adapters.
pub(super) struct Adapted {
    pub(super) text: String,
    /// The places of the adapters in the text, with their numbers.
    places: Vec<(Range<usize>, usize)>,
}

impl Casts {
    /// Decides about each of clang's reports.
    pub(super) fn new(source: &str, reports: &[CastReport], is_cxx: bool) -> Self {
        let mut casts = Self::default();
        let mut end = 0;
        for (n, report) in reports.iter().enumerate() {
            let same = |other: &&CastReport| other.place == report.place;
            if report.place.start < end || reports[..n].iter().rev().take(1).any(|r| same(&r)) {
                continue;
            }
            let several = reports[n..]
                .iter()
                .take_while(same)
                .any(|other| other.from != report.from);
            let inner = innermost(source, &reports[n..]);
            let decision = decide(source, report, inner, is_cxx, several);
            match decision {
                Decision::Adapt(adapter) => {
                    end = report.place.end;
                    casts.adapters.push(adapter);
                }
                Decision::Problem(message) => {
                    end = report.place.end;
                    casts.problems.push(Problem {
                        at: report.place.start,
                        message,
                    });
                }
                Decision::Stays => {}
            }
        }
        casts
    }

    /// Returns true if there is nothing to adapt.
    pub(super) fn is_empty(&self) -> bool {
        self.adapters.is_empty()
    }

    /// Returns true if one is adapted that no cast was written for: compilers reject it.
    pub(super) fn has_implicit(&self) -> bool {
        self.adapters.iter().any(|adapter| adapter.is_implicit)
    }

    /// The functions that are called by adapters.
    pub(super) fn functions(&self) -> Vec<&str> {
        let mut functions: Vec<&str> = Vec::new();
        for adapter in &self.adapters {
            let function = adapter.name.as_deref().unwrap_or(&adapter.original);
            if !functions.contains(&function) {
                functions.push(function);
            }
        }
        functions
    }

    /// Returns the casts that cannot be adapted: the line, from 0, and a message.
    pub(super) fn problems(&self, source: &str) -> Vec<(usize, &str)> {
        let mut problems: Vec<&Problem> = self.problems.iter().collect();
        problems.sort_by_key(|problem| problem.at);
        let line = |at: usize| source[..at].matches('\n').count();
        problems
            .into_iter()
            .map(|problem| (line(problem.at), problem.message.as_str()))
            .collect()
    }

    /// Takes back the adapters in which the compiler found errors. Returns false if it found one elsewhere.
    pub(super) fn without_errors(&mut self, adapted: &Adapted, errors: &[usize]) -> bool {
        let mut bad: Vec<usize> = Vec::new();
        for error in errors {
            let found = adapted
                .places
                .iter()
                .filter(|(place, _)| (place.start..=place.end).contains(error));
            let before = bad.len();
            bad.extend(found.map(|(_, n)| *n));
            if bad.len() == before {
                return false;
            }
        }
        let mut n = 0;
        self.adapters.retain(|adapter| {
            let stays = !bad.contains(&n);
            n += 1;
            let is_known = adapter.wants.is_anything() || adapter.is_method;
            if !stays && !is_known && known::is_called(&adapter.target) {
                let why = "it is not the name of a function";
                self.problems.push(Problem {
                    at: adapter.place.start,
                    message: problem(&adapter.original, why),
                });
            }
            stays
        });
        true
    }

    /// The source, preprocessed, with its adapters. Its lines stay where they are.
    pub(super) fn apply(&self, source: &str, is_cxx: bool) -> Adapted {
        match is_cxx {
            true => self.in_place(source),
            false => self.at_the_end(source),
        }
    }

    /// C++: a lambda, because a function at the file's end does not see into namespaces.
    fn in_place(&self, source: &str) -> Adapted {
        let (mut text, mut places, mut at) = (String::new(), Vec::new(), 0);
        for (n, adapter) in self.adapters.iter().enumerate() {
            text.push_str(&source[at..adapter.place.start]);
            let start = text.len();
            text.push_str(&adapter.lambda());
            places.push((start..text.len(), n));
            at = adapter.place.end;
        }
        text.push_str(&source[at..]);
        Adapted { text, places }
    }

    /// C: one function for all casts of a function to types that are called alike, so that its address stays one.
    fn at_the_end(&self, source: &str) -> Adapted {
        let (mut head, mut tail, mut edits) = (String::new(), String::new(), Edits::default());
        let (mut known, mut spans) = (HashMap::new(), Vec::new());
        for (n, adapter) in self.adapters.iter().enumerate() {
            let next = known.len();
            let key = (adapter.name.as_deref(), &adapter.called, &adapter.wants);
            let number = *known.entry(key).or_insert(next);
            if number == next {
                head.push_str(&format!("static {};", adapter.head(number)));
                let start = tail.len();
                let body = adapter.body(adapter.name.as_deref().unwrap_or(&adapter.original));
                tail.push_str(&format!(
                    "static {} {{ {}{body} }}\n",
                    adapter.head(number),
                    adapter.is_a_function()
                ));
                spans.push((start..tail.len(), n));
            } else {
                let span = spans[number].0.clone();
                spans.push((span, n));
            }
            let cast = format!("(({}){})", adapter.target, name(number));
            edits.replace(adapter.place.clone(), cast);
        }
        let body = edits.apply(source);
        let text = format!("{head}{body}\n{tail}");
        let start = text.len() - tail.len();
        let places = spans
            .into_iter()
            .map(|(span, n)| (start + span.start..start + span.end, n))
            .collect();
        Adapted { text, places }
    }
}

enum Decision {
    Adapt(Adapter),
    /// No adapter can be made, and the call traps.
    Problem(String),
    /// It is called as what it is, or we cannot know.
    Stays,
}

/// The type of the function in an expression: below other casts, that of the innermost.
fn innermost<'r>(source: &str, reports: &'r [CastReport]) -> &'r Type {
    let outer = &reports[0];
    let name = |report: &CastReport| Operand::name(&source[report.place.clone()]);
    let inside = reports
        .iter()
        .take_while(|report| report.place.start < outer.place.end)
        .filter(|report| report.place.end <= outer.place.end && name(report) == name(outer));
    match name(outer) {
        Some(_) => inside.last().map_or(&outer.from, |inner| &inner.from),
        None => &outer.from,
    }
}

fn decide(source: &str, report: &CastReport, from: &Type, is_cxx: bool, several: bool) -> Decision {
    let (target, original) = (&report.to.written, &source[report.place.clone()]);
    let is_method = target == known::METHOD;
    let is_called = report.is_implicit || is_method || known::is_called(target);
    if !is_cxx && (has_no_prototype(&from.meant) || has_no_prototype(&report.to.meant)) {
        return Decision::Stays;
    }
    let (Some(called), Some(wants)) = (
        CSignature::parse(&report.to.meant),
        CSignature::parse(&from.meant),
    ) else {
        let (called, wants) = (
            CSignature::count(&report.to.meant),
            CSignature::count(&from.meant),
        );
        return match is_called && called != wants && !(is_method && called < wants) {
            true => Decision::Problem(called_as(original, from, &report.to)),
            false => Decision::Stays,
        };
    };
    let takes_more = wants.parameters.len() > called.parameters.len();
    let stays = called == wants
        || called.is_variadic
        || (called.is_anything() && !known::is_ours(target))
        || (is_method && takes_more)
        || (!is_called
            && (takes_more
                || is_anything(from)
                || is_anything(&report.from)
                || !is_plain(&called, &wants)));
    if stays {
        return Decision::Stays;
    }
    if several {
        return Decision::Problem(problem(original, "it has several types in a template"));
    }
    if !are_convertible(&called, &wants) {
        return Decision::Problem(called_as(original, from, &report.to));
    }
    let name = Operand::name(original).map(str::to_owned);
    if !is_cxx && name.is_none() {
        // A variable: who cast it to this type may well know what it holds.
        return match is_called && !wants.is_anything() && from.written != known::METHOD {
            true => Decision::Problem(problem(original, "it is not the name of a function")),
            false => Decision::Stays,
        };
    }
    Decision::Adapt(Adapter {
        place: report.place.clone(),
        target: target.clone(),
        original: original.to_owned(),
        name,
        called,
        wants,
        is_implicit: report.is_implicit,
        is_method: from.written == known::METHOD,
    })
}

fn is_anything(of: &Type) -> bool {
    CSignature::parse(&of.meant).is_some_and(|signature| signature.is_anything())
}

fn is_plain(called: &CSignature, wants: &CSignature) -> bool {
    let all = |signature: &CSignature| {
        let mut values = signature.parameters.iter().chain(&signature.result);
        !signature.is_variadic && values.all(|value| *value == Value::I32)
    };
    all(called) && all(wants)
}

fn are_convertible(called: &CSignature, wants: &CSignature) -> bool {
    let mut parameters = called.parameters.iter().zip(&wants.parameters);
    parameters.all(|(given, taken)| given.convert(*taken, "").is_some())
        && match (wants.result, called.result) {
            (Some(given), Some(taken)) => given.convert(taken, "").is_some(),
            _ => true,
        }
}

fn called_as(original: &str, from: &Type, to: &Type) -> String {
    problem(
        original,
        &format!("`{}` is called as `{}`", from.written, to.meant),
    )
}

fn problem(original: &str, why: &str) -> String {
    let original = original.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("`{original}` cannot be adapted to its caller: {why}; the call traps")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(source: &str, expression: &str, from: &str, to: &str, meant: &str) -> CastReport {
        let start = source.find(expression).expect("the expression is there");
        let of = |written: &str, meant: &str| Type {
            written: written.to_owned(),
            meant: meant.to_owned(),
        };
        CastReport {
            place: start..start + expression.len(),
            from: of(from, from),
            to: of(to, meant),
            is_implicit: false,
        }
    }

    const ONE: &str = "struct _object *(*)(Obj *)";
    const TWO: &str = "struct _object *(*)(struct _object *, void *)";
    const THREE: &str = "int (*)(A *, int, double)";

    #[test]
    fn parameters_are_dropped_and_made_up() {
        let source = "M m = {(getter)one, (reprfunc) three};\n";
        let reports = [
            report(source, "(getter)one", ONE, "getter", TWO),
            report(source, "(reprfunc) three", THREE, "reprfunc", ONE),
        ];
        let casts = Casts::new(source, &reports, false);
        assert_eq!(casts.functions(), ["one", "three"]);
        let text = casts.apply(source, false).text;
        let (head, tail) = text.split_once(";\n\n").expect("two parts");
        assert_eq!(
            head,
            "static void * pymode_adapter_0(void * p0, void * p1);static void * pymode_adapter_1(void * p0);M m = {((getter)pymode_adapter_0), ((reprfunc)pymode_adapter_1)}"
        );
        assert!(
            tail.contains("(void)p1; return ((void * (*)(void *))(one))(p0); }"),
            "{tail}"
        );
        assert!(
            tail.contains("return ((void * (*)(void *, void *, double))(three))(p0, 0, 0); }"),
            "{tail}"
        );
        let text = Casts::new(source, &reports, true).apply(source, true).text;
        assert!(
            text.starts_with("M m = {((getter)+[](void * p0, void * p1) -> void * { (void)p1; return ((void * (*)(void *))((getter)one))(p0); }), "),
            "{text}"
        );
    }

    #[test]
    fn a_function_has_one_adapter_for_each_type_that_it_is_called_as() {
        let source = "a = (reprfunc)f; b = (getiterfunc)f; c = (setter)f;";
        let reports = [
            report(source, "(reprfunc)f", TWO, "reprfunc", ONE),
            report(source, "(getiterfunc)f", TWO, "getiterfunc", ONE),
            report(
                source,
                "(setter)f",
                TWO,
                "setter",
                "int (*)(A *, A *, void *)",
            ),
        ];
        let text = Casts::new(source, &reports, false)
            .apply(source, false)
            .text;
        assert!(text.contains("a = ((reprfunc)pymode_adapter_0); b = ((getiterfunc)pymode_adapter_0); c = ((setter)pymode_adapter_1);"), "{text}");
    }

    /// The decision about one cast: `f` if it is adapted, `!` and a message if it cannot be, or nothing.
    fn outcome(source: &str, reports: &[CastReport]) -> String {
        let casts = Casts::new(source, reports, false);
        let problems = casts.problems(source);
        let problems = problems.iter().map(|(_, message)| format!("!{message}"));
        let functions = casts.functions().into_iter().map(str::to_owned);
        functions.chain(problems).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_called_as_it_wants_stays() {
        let one = |expression: &str, from: &str, to: &str, meant: &str| {
            outcome(
                expression,
                &[report(expression, expression, from, to, meant)],
            )
        };
        let anything = "void (*)(void)";
        for (expression, from, to, meant, expected) in [
            ("(getter)f", TWO, "getter", TWO, ""),
            // The idiom for keywords; fewer parameters are none.
            ("(PyCFunction)f", THREE, "PyCFunction", TWO, ""),
            ("(PyCFunction)f", ONE, "PyCFunction", TWO, "f"),
            // A type that is somebody's own.
            ("(own)f", TWO, "own", ONE, ""),
            ("(own)f", ONE, "own", TWO, "f"),
            ("(own)f", anything, "own", TWO, ""),
            ("(void (*)(void))f", ONE, anything, anything, ""),
            (
                "(pymode_call_plain)f",
                ONE,
                "pymode_call_plain",
                anything,
                "f",
            ),
            (
                "(destructor)f",
                anything,
                "destructor",
                "void (*)(A *)",
                "f",
            ),
            ("(getter)f", "int (*)()", "getter", TWO, ""),
            (
                "(hashfunc)f",
                "unsigned long long (*)(A *)",
                "hashfunc",
                "long (*)(A *)",
                "f",
            ),
        ] {
            assert_eq!(
                one(expression, from, to, meant),
                expected,
                "{expression}: {from}"
            );
        }
        for (expression, from) in [
            ("(hashfunc)f", "double (*)(A *)"),
            ("(hashfunc)f", "long (*)(A *, S)"),
            ("(hashfunc)t[1]", "long (*)(A *, int)"),
        ] {
            let outcome = one(expression, from, "hashfunc", "long (*)(A *)");
            assert!(outcome.starts_with('!'), "{expression}: {from}: {outcome}");
        }
    }

    #[test]
    fn the_innermost_cast_says_what_a_function_takes() {
        let anything = "void (*)(void)";
        let source = "x = (getter)(void (*)(void))f;";
        let outer = report(source, "(getter)(void (*)(void))f", anything, "getter", TWO);
        let inner = report(source, "(void (*)(void))f", ONE, anything, anything);
        assert_eq!(outcome(source, &[outer.clone(), inner.clone()]), "f");
        // In the words of C++, the inner cast ends before the outer one.
        let source = "x = reinterpret_cast<getter>(reinterpret_cast<void (*)()>(f));";
        let whole = "reinterpret_cast<getter>(reinterpret_cast<void (*)()>(f))";
        let outer_cast = report(source, whole, anything, "getter", TWO);
        let part = "reinterpret_cast<void (*)()>(f)";
        let inner_cast = report(source, part, TWO, anything, anything);
        assert_eq!(outcome(source, &[outer_cast, inner_cast]), "");
        let source = "x = (getter)(void (*)(void))f;";
        let same = report(source, "(void (*)(void))f", TWO, anything, anything);
        assert_eq!(outcome(source, &[outer, same]), "");
    }

    #[test]
    fn an_adapter_with_an_error_is_taken_back() {
        let source = "a = (reprfunc)f; b = (reprfunc)g;";
        let reports = [
            report(source, "(reprfunc)f", TWO, "reprfunc", ONE),
            report(source, "(reprfunc)g", TWO, "reprfunc", ONE),
        ];
        let mut casts = Casts::new(source, &reports, false);
        let adapted = casts.apply(source, false);
        assert!(!casts.without_errors(&adapted, &[3]), "an error elsewhere");
        let at = adapted.text.rfind("(g)").expect("its adapter");
        assert!(casts.without_errors(&adapted, &[at]));
        assert_eq!(casts.functions(), ["f"]);
        assert_eq!(casts.problems(source).len(), 1);
    }
}
