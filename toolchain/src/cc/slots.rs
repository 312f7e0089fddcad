//! The slots of a heap type, and methods without arguments: functions behind `void *` or `void (*)(void)`, where the compiler
//! cannot see that CPython calls them as another type. Each gets a cast to the type that its slot has, and
//! [`casts`](super::casts) does the rest.

use std::ops::Range;

/// What the elements of the arrays are called.
const SLOT: &str = "PyType_Slot";
const METHOD: &str = "PyMethodDef";

/// `METH_NOARGS`, as the preprocessor leaves it behind.
const NO_ARGUMENTS: &str = "0x0004";

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
    let mut text = String::with_capacity(source.len());
    let mut at = 0;
    for (start, name) in starts {
        if start < at {
            continue;
        }
        let Some(array) = array(source, start + name.len()) else {
            continue;
        };
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

/// Where a method's function stands, and what is to stand there, if it is one without arguments.
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
    if source[second + 1..end].trim() != NO_ARGUMENTS {
        return None;
    }
    let function = function(&source[first + 1..second])?;
    Some((first + 1..second, format!(" (PyCFunction){function}")))
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
PyMethodDef m[] = {{\"a}\\\"\", (PyCFunction)(void (*)(void))f, 0x0004, \"{,\"}, {\"b\", (PyCFunction)g, 0x0002 | 0x0001}, {0, 0}};";
        assert_eq!(
            typed(source),
            "typedef struct {} PyType_Slot; extern PyType_Slot s[];
static PyType_Slot slots[] = { { 60, (void *)(initproc)make }, {51, (void *)(inquiry)clear }, {52, (void *)(destructor)a::drop },
  { 71, (void *)(traverseproc)visit }, {66, (void *)(reprfunc)repr }, {56, (void*)\"doc\"}, {64, methods}, {65, x ? a : b}, {0, 0} };
PyMethodDef m[] = {{\"a}\\\"\", (PyCFunction)f, 0x0004, \"{,\"}, {\"b\", (PyCFunction)g, 0x0002 | 0x0001}, {0, 0}};"
        );
    }

    #[test]
    fn what_is_cut_short_stays() {
        let source = "PyType_Slot s[] = {{60, (void*)f}, {51, g(h)}};";
        for cut in 0..source.len() {
            let _ = typed(&source[..cut]);
        }
    }
}
