//! The slots of a heap type, and the methods of a table: functions behind `void *` or `void (*)(void)`, where the compiler
//! cannot see that CPython calls them as another type. Each gets a cast to the type that its slot or its flags have, and
//! [`casts`](super::casts) does the rest.
//!
//! Others use `PyType_Slot` for tables with numbers of their own, as NumPy does for data types: a table counts when a
//! `PyType_Spec` names it.

use std::ops::Range;

/// What the elements of the arrays are called.
const SLOT: &str = "PyType_Slot";
const METHOD: &str = "PyMethodDef";
/// What names a type's slots.
const SPEC: &str = "PyType_Spec";

/// The type of a method's function by the method's flags (CPython's `Include/methodobject.h`), which the preprocessor leaves
/// behind as numbers: `0x0001 | 0x0002`.
fn method_type(flags: &str) -> Option<&'static str> {
    const WHERE_IT_LIVES: u32 = 0x0010 | 0x0020 | 0x0040;
    let mut all = 0;
    for flag in flags.split('|') {
        let flag = flag.trim_matches(|c: char| c.is_whitespace() || c == '(' || c == ')');
        all |= u32::from_str_radix(flag.strip_prefix("0x")?, 16).ok()?;
    }
    Some(match all & !WHERE_IT_LIVES {
        0x0001 | 0x0004 | 0x0008 => "PyCFunction",
        0x0003 => "PyCFunctionWithKeywords",
        // Not all that CPython calls these is there in the limited API.
        0x0080 => "PyObject *(*)(PyObject *, PyObject *const *, Py_ssize_t)",
        0x0082 => "PyObject *(*)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *)",
        _ => return None,
    })
}

/// The type of a slot's function, by the slot's number (CPython's `Include/typeslots.h`; part of its stable ABI).
fn function_type(slot: u32) -> Option<&'static str> {
    Some(match slot {
        1 => "getbufferproc",
        2 => "releasebufferproc",
        3 => "objobjargproc",
        4 | 45 => "lenfunc",
        6 | 11 | 13 | 26 | 27 | 30 | 32 | 77..=79 => "unaryfunc",
        9 | 51 | 61 => "inquiry",
        20 | 33 | 50 => "ternaryfunc",
        5 | 7 | 8 | 10 | 12 | 14..=19 | 21..=25 | 28 | 29 | 31 | 34..=38 | 40 | 42 | 75 | 76 => {
            "binaryfunc"
        }
        39 => "ssizeobjargproc",
        41 => "objobjproc",
        43 | 44 | 46 => "ssizeargfunc",
        47 => "allocfunc",
        52 | 53 | 80 => "destructor",
        54 => "descrgetfunc",
        55 => "descrsetfunc",
        57 => "getattrfunc",
        58 => "getattrofunc",
        59 => "hashfunc",
        60 => "initproc",
        62 => "getiterfunc",
        63 => "iternextfunc",
        65 => "newfunc",
        66 | 70 => "reprfunc",
        67 => "richcmpfunc",
        68 => "setattrfunc",
        69 => "setattrofunc",
        71 => "traverseproc",
        74 => "freefunc",
        _ => return None,
    })
}

/// A preprocessed source in which the function of each slot is cast to the slot's type. What does not look like a slot stays.
pub(super) fn typed(source: &str) -> String {
    let slots = source.match_indices(SLOT);
    let mut starts: Vec<(usize, &str)> = slots.chain(source.match_indices(METHOD)).collect();
    starts.sort_unstable();
    let specs = specs(source);
    let mut text = String::with_capacity(source.len());
    let mut at = 0;
    for (start, name) in starts {
        if start < at {
            continue;
        }
        let Some(array) = array(source, start + name.len()) else {
            continue;
        };
        if name == SLOT && !is_of_a_type(source, start + name.len(), &specs) {
            continue;
        }
        for element in elements(source, array.clone()) {
            let cast = match name {
                METHOD => typed_method(source, element),
                _ => typed_slot(source, element),
            };
            if let Some((place, cast)) = cast {
                text.push_str(&source[at..place.start]);
                text.push_str(&cast);
                at = place.end;
            }
        }
    }
    text.push_str(&source[at..]);
    text
}

/// The inside of the braces in ` name[] = {…}`.
fn array(source: &str, after: usize) -> Option<Range<usize>> {
    let rest = &source[after..];
    let open = rest.find('{')?;
    let head = &rest[..open];
    let is_definition = head.trim_end().ends_with('=') && head.contains('[') && !head.contains(';');
    is_definition
        .then(|| braces(source, after + open))
        .flatten()
}

/// The initializers of all `PyType_Spec`, and what is assigned to the slots of one.
fn specs(source: &str) -> Vec<Range<usize>> {
    let mut specs = Vec::new();
    for (start, _) in source.match_indices(SPEC) {
        let after = start + SPEC.len();
        let Some(end) = source[after..].find(['{', ';', '(']) else {
            continue;
        };
        let (head, end) = (source[after..after + end].trim(), after + end);
        // `PyType_Spec spec = {…}` and the like; in `(PyType_Spec){…}` a parenthesis closes before. A parameter has none.
        if source[end..].starts_with('{') && (head == ")" || !head.contains(')')) {
            specs.extend(braces(source, end));
        }
        let head = head.trim_start_matches('*');
        let variable = head.split(|c: char| !is_part_of_name(c)).next();
        for access in [".", "->"] {
            let Some(variable) = variable.filter(|variable| !variable.is_empty()) else {
                continue;
            };
            let assignment = format!("{variable}{access}slots");
            for (at, _) in source[end..].match_indices(&assignment) {
                let from = end + at + assignment.len();
                let to = source[from..]
                    .find(';')
                    .map_or(source.len(), |at| from + at);
                specs.push(from..to);
            }
        }
    }
    specs
}

/// Whether a specification names the table that is declared behind `PyType_Slot`: of several tables of that name, the one
/// that was declared last before it.
fn is_of_a_type(source: &str, declared: usize, specs: &[Range<usize>]) -> bool {
    let Some(name) = declared_name(source, declared) else {
        return false;
    };
    let again = |at: usize| {
        let next = source[at..].match_indices(SLOT);
        next.map(|(found, _)| at + found + SLOT.len())
            .find(|at| declared_name(source, *at) == Some(name))
    };
    let until = again(declared).unwrap_or(source.len());
    let is_only = until == source.len() && again(0) == Some(declared);
    specs
        .iter()
        .filter(|spec| is_only || (declared..until).contains(&spec.start))
        .any(|spec| {
            source[spec.clone()]
                .split(|c: char| !is_part_of_name(c))
                .any(|word| word == name)
        })
}

/// `name` of ` name[…`.
fn declared_name(source: &str, at: usize) -> Option<&str> {
    let name = source[at..].split('[').next()?.trim();
    is_name(name).then_some(name)
}

fn is_part_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What is between the brace at `open` and the one that closes it.
fn braces(source: &str, open: usize) -> Option<Range<usize>> {
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

/// The bytes from a place on, without those of texts and characters.
fn code(source: &[u8], from: usize) -> impl Iterator<Item = (usize, u8)> + '_ {
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

fn elements(source: &str, array: Range<usize>) -> Vec<Range<usize>> {
    let mut elements = Vec::new();
    let mut at = array.start;
    let open = |from| {
        let mut code = code(source.as_bytes(), from).take_while(|(at, _)| *at < array.end);
        code.find(|(_, byte)| *byte == b'{').map(|(at, _)| at)
    };
    while let Some(open) = open(at) {
        let Some(element) = braces(source, open) else {
            break;
        };
        at = element.end + 1;
        elements.push(element);
    }
    elements
}

/// Where a method's function stands, and what is to stand there.
fn typed_method(source: &str, element: Range<usize>) -> Option<(Range<usize>, String)> {
    let commas: Vec<usize> = {
        let mut depth = 0i32;
        let code = code(source.as_bytes(), element.start);
        code.take_while(|(at, _)| *at < element.end)
            .filter_map(|(at, byte)| {
                depth += i32::from(byte == b'(') - i32::from(byte == b')');
                (byte == b',' && depth == 0).then_some(at)
            })
            .collect()
    };
    let &[first, second, ..] = &commas[..] else {
        return None;
    };
    let end = commas.get(2).copied().unwrap_or(element.end);
    let function_type = method_type(&source[second + 1..end])?;
    let function = function(&source[first + 1..second])?;
    let cast = match function_type {
        "PyCFunction" => format!(" (PyCFunction){function}"),
        other => format!(" (PyCFunction)({other}){function}"),
    };
    Some((first + 1..second, cast))
}

/// Where a slot's function stands, and what is to stand there.
fn typed_slot(source: &str, element: Range<usize>) -> Option<(Range<usize>, String)> {
    let (slot, value) = source[element.clone()].split_once(',')?;
    let function_type = function_type(slot.trim().parse().ok()?)?;
    let function = function(value)?;
    let place = element.end - value.len()..element.end;
    Some((place, format!(" (void *)({function_type}){function} ")))
}

/// The function's name in `f`, `&f`, `(void *)f`, `(initproc)f`, `(reinterpret_cast<void *>(f))`, `void_cast(f)`.
fn function(value: &str) -> Option<&str> {
    let mut value = value.trim().trim_end_matches(',').trim();
    loop {
        value = value.strip_prefix('&').unwrap_or(value).trim();
        let Some(open) = value.find('(') else {
            return is_name(value).then_some(value);
        };
        let close = open + closing(&value[open..])?;
        let (head, rest) = (value[..open].trim(), value[close + 1..].trim());
        value = match (head.is_empty(), rest.is_empty()) {
            // Parentheses, or a cast in the words of C++.
            (true, true) => &value[open + 1..close],
            (false, true) if head.ends_with('>') || is_name(head) => &value[open + 1..close],
            // A cast in the words of C.
            (true, false) => rest,
            _ => return None,
        }
        .trim();
    }
}

/// Where the parenthesis closes that the text begins with.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
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

fn is_name(text: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(starts)
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_:".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slot_has_its_type() {
        let source = "typedef struct {} PyType_Slot; extern PyType_Slot s[];
static PyType_Slot slots[] = { { 60, make }, {51, (void*)clear}, {52,( reinterpret_cast<void*>( a::drop ) )},
  { 71, void_cast( visit ) }, {66, &(repr)}, {56, (void*)\"doc\"}, {64, methods}, {65, x ? a : b}, {0, 0} };
PyType_Spec spec = { \"a\", 0, 0, 0, slots };";
        assert_eq!(
            typed(source),
            "typedef struct {} PyType_Slot; extern PyType_Slot s[];
static PyType_Slot slots[] = { { 60, (void *)(initproc)make }, {51, (void *)(inquiry)clear }, {52, (void *)(destructor)a::drop },
  { 71, (void *)(traverseproc)visit }, {66, (void *)(reprfunc)repr }, {56, (void*)\"doc\"}, {64, methods}, {65, x ? a : b}, {0, 0} };
PyType_Spec spec = { \"a\", 0, 0, 0, slots };"
        );
    }

    #[test]
    fn each_method_has_the_type_of_its_flags() {
        let source = "PyMethodDef m[] = {{\"a}\\\"\", (PyCFunction)(void (*)(void))f, 0x0004, \"{,\"}, {\"b\", (PyCFunction)g, 0x0002 | 0x0001},
  {\"c\", (PyCFunction)(void (*)(void))h, (0x0080|0x0002) | 0x0020, 0}, {\"d\", i, 0x0080}, {\"e\", j, FLAGS}, {\"f\", k, 0x0200 | 0x0080 | 0x0002}, {0, 0}};";
        assert_eq!(
            typed(source),
            "PyMethodDef m[] = {{\"a}\\\"\", (PyCFunction)f, 0x0004, \"{,\"}, {\"b\", (PyCFunction)(PyCFunctionWithKeywords)g, 0x0002 | 0x0001},
  {\"c\", (PyCFunction)(PyObject *(*)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *))h, (0x0080|0x0002) | 0x0020, 0}, {\"d\", (PyCFunction)(PyObject *(*)(PyObject *, PyObject *const *, Py_ssize_t))i, 0x0080}, {\"e\", j, FLAGS}, {\"f\", k, 0x0200 | 0x0080 | 0x0002}, {0, 0}};"
        );
    }

    #[test]
    fn a_table_with_numbers_of_its_own_stays() {
        let is_typed = |source: &str| {
            let text = typed(source);
            let count = text.matches("(inquiry)").count();
            assert!(count > 0 || text == source, "{text}");
            count
        };
        let table = "static PyType_Slot slots[] = {{9, f}, {0, 0}};";
        assert_eq!(is_typed(table), 0, "nobody names it");
        assert_eq!(
            is_typed(&format!("{table} DType_Spec s = {{1, slots}};")),
            0
        );
        for spec in [
            "PyType_Spec s = {.slots = slots};",
            "PyType_Spec s{\"\", 0, slots};",
            "PyType_Spec all[2] = {{0, slots}, {0, others}};",
            "x = PyType_FromSpec(&(PyType_Spec){0, slots});",
            "PyType_Spec s; s.slots = slots;",
            "void g(PyType_Spec *s) { s->slots = slots; }",
        ] {
            let text = format!("{table} {spec}");
            assert_eq!(is_typed(&text), 1, "{text}");
        }
        // The same name in two functions, of which one makes a type.
        let both = format!(
            "void a(void) {{ {table} PyType_Spec s = {{0, slots}}; }} void b(void) {{ {table} Method_Spec s = {{0, slots}}; }}"
        );
        assert_eq!(is_typed(&both), 1);
    }

    #[test]
    fn what_is_cut_short_stays() {
        let source = "PyType_Slot s[] = {{60, (void*)f}, {51, g(h)}};";
        for cut in 0..source.len() {
            let _ = typed(&source[..cut]);
        }
    }
}
