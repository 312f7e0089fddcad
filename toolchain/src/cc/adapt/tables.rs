//! The tables of slots and of methods: functions behind `void *` or `void (*)(void)`, where the compiler cannot see that CPython
//! calls them as another type. Each gets a cast to the type that its slot or its flags have.
//!
//! Others use `PyType_Slot` for tables with numbers of their own, as NumPy does for data types: a table counts when a
//! `PyType_Spec` names it.

use std::ops::Range;

use super::edits::Edits;
use super::expression::{braces, cast, code, is_name, is_part_of_name, list, words};
use super::known;

/// The types of the tables' elements.
const SLOT: &str = "PyType_Slot";
const MODULE_SLOT: &str = "PyModuleDef_Slot";
const METHOD: &str = "PyMethodDef";
/// The type that names a type's slots.
const SPEC: &str = "PyType_Spec";

/// Casts the function of each slot and each method to the type as which it is called. What does not look like a slot stays.
pub(super) fn cast_functions(source: &str, edits: &mut Edits) {
    let specs = specs(source);
    for (start, kind) in words(source) {
        let after = start + kind.len();
        if ![SLOT, MODULE_SLOT, METHOD].contains(&kind) {
            continue;
        }
        let Some(table) = Table::parse(source, after) else {
            continue;
        };
        let of_a_type = match table.is_literal {
            true => specs.iter().any(|spec| spec.contains(&start)),
            false => is_of_a_type(source, after, &specs),
        };
        if kind == SLOT && !of_a_type {
            continue;
        }
        for element in table.elements(source) {
            let edit = match kind {
                METHOD => method(source, element),
                SLOT => slot(source, element, known::type_slot),
                _ => slot(source, element, known::module_slot),
            };
            if let Some((place, text)) = edit {
                edits.replace(place, text);
            }
        }
    }
}

/// The braces behind the name of an element's type.
struct Table {
    inside: Range<usize>,
    is_array: bool,
    is_literal: bool,
}

impl Table {
    /// ` name[] = {…}`, ` name = {…}`, ` name[]{…}`, and `)[]){…}` or `){…}` of a literal.
    fn parse(source: &str, after: usize) -> Option<Self> {
        let open = after + source[after..].find(['{', ';', '('])?;
        let head = source[after..open].trim();
        if !source[open..].starts_with('{') {
            return None;
        }
        let is_array = head.contains('[');
        let head = head.strip_suffix('=').unwrap_or(head).trim_end();
        let name = head.split('[').next().unwrap_or_default().trim();
        let is_literal = head.ends_with(')') && name.trim_end_matches(')').is_empty();
        (is_literal || is_name(name)).then_some(())?;
        Some(Self {
            inside: braces(source, open)?,
            is_array,
            is_literal,
        })
    }

    fn elements(&self, source: &str) -> Vec<Range<usize>> {
        if !self.is_array {
            return vec![self.inside.clone()];
        }
        let mut elements = Vec::new();
        let mut at = self.inside.start;
        let open = |from| {
            let mut code =
                code(source.as_bytes(), from).take_while(|(at, _)| *at < self.inside.end);
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
}

/// The field of an element, by its position or its name: where its value stands.
fn field(
    source: &str,
    fields: &[Range<usize>],
    position: usize,
    name: &str,
) -> Option<Range<usize>> {
    let is_designated = fields
        .iter()
        .any(|field| source[field.clone()].trim_start().starts_with('.'));
    if !is_designated {
        return fields.get(position).cloned();
    }
    fields.iter().find_map(|field| {
        let (designator, value) = source[field.clone()].split_once('=')?;
        let is_it = designator.trim().strip_prefix('.')?.trim() == name;
        is_it.then_some(field.end - value.len()..field.end)
    })
}

/// Returns the place of a method's function, and its replacement.
fn method(source: &str, element: Range<usize>) -> Option<(Range<usize>, String)> {
    let fields = list(source, element);
    let flags = field(source, &fields, 2, "ml_flags")?;
    let place = field(source, &fields, 1, "ml_meth")?;
    let called = known::method(&source[flags])?;
    let cast = cast(&source[place.clone()], &format!("(PyCFunction)({called})"))?;
    Some((place, format!(" {cast}")))
}

/// Returns the place of a slot's function, and its replacement.
fn slot(
    source: &str,
    element: Range<usize>,
    function_type: fn(u32) -> Option<&'static str>,
) -> Option<(Range<usize>, String)> {
    let fields = list(source, element);
    let (number, value) = match fields.len() {
        2 => (
            field(source, &fields, 0, "slot")?,
            // The field of a type's slot, and that of a module's.
            field(source, &fields, 1, "pfunc").or_else(|| field(source, &fields, 1, "value"))?,
        ),
        _ => return None,
    };
    let called = function_type(known::number(&source[number])?)?;
    let cast = cast(&source[value.clone()], &format!("(void *)({called})"))?;
    Some((value, format!(" {cast} ")))
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

/// Returns true if a specification names the table that is declared behind `PyType_Slot`: of several tables of that name, the one
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

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(source: &str) -> String {
        let mut edits = Edits::default();
        cast_functions(source, &mut edits);
        edits.apply(source)
    }

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
  { 71, (void *)(traverseproc)visit }, {66, (void *)(reprfunc)repr }, {56, (void*)\"doc\"}, {64, methods}, {65, (x ? (void *)(newfunc)a : (void *)(newfunc)b) }, {0, 0} };
PyType_Spec spec = { \"a\", 0, 0, 0, slots };"
        );
    }

    #[test]
    fn each_method_has_the_type_of_its_flags() {
        let source = "PyMethodDef m[] = {{\"a}\\\"\", (PyCFunction)(void (*)(void))f, 0x0004, \"{,\"}, {\"b\", (PyCFunction)g, 0x0002 | 0x0001},
  {\"c\", (PyCFunction)(void (*)(void))h, (0x0080|0x0002) | 0x0020, 0}, {\"d\", i, 0x0080}, {\"e\", j, FLAGS}, {\"f\", k, 0x0200 | 0x0080 | 0x0002}, {0, 0}};";
        assert_eq!(
            typed(source),
            "PyMethodDef m[] = {{\"a}\\\"\", (PyCFunction)(PyObject *(*)(PyObject *, PyObject *))f, 0x0004, \"{,\"}, {\"b\", (PyCFunction)(PyCFunctionWithKeywords)g, 0x0002 | 0x0001},
  {\"c\", (PyCFunction)(PyObject *(*)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *))h, (0x0080|0x0002) | 0x0020, 0}, {\"d\", (PyCFunction)(PyObject *(*)(PyObject *, PyObject *const *, Py_ssize_t))i, 0x0080}, {\"e\", j, FLAGS}, {\"f\", (PyCFunction)(PyObject *(*)(PyObject *, PyTypeObject *, PyObject *const *, Py_ssize_t, PyObject *))k, 0x0200 | 0x0080 | 0x0002}, {0, 0}};"
        );
    }

    #[test]
    fn each_form_of_a_table_is_known() {
        let two = "(PyCFunction)(PyObject *(*)(PyObject *, PyObject *))f";
        for (before, after) in [
            ("PyMethodDef m = {\"a\", ", ", 1, 0};"),
            ("PyMethodDef m[]{{\"a\", ", ", (1), 0}};"),
            ("x = (PyMethodDef){\"a\", ", ", 0x0004};"),
            ("x = (PyMethodDef[]){{\"a\", ", ", 8}, {0}};"),
            (
                "PyMethodDef m[2] = {{.ml_name = \"a\", .ml_flags = 1, .ml_meth =",
                "}};",
            ),
        ] {
            let typed = typed(&format!("{before}(A)f{after}"));
            assert_eq!(typed, format!("{} {two}{after}", before.trim_end()));
        }
        for (before, cast, after) in [
            (
                "PyModuleDef_Slot s[] = {{1,",
                "(void *)(PyObject *(*)(PyObject *, PyModuleDef *))",
                "}, {0}};",
            ),
            (
                "PyModuleDef_Slot s[] = {{.slot = 2, .value =",
                "(void *)(int (*)(PyObject *))",
                "}, {0}};",
            ),
            (
                "PyType_Spec s = {.slots = (PyType_Slot[]){{.slot = 66, .pfunc =",
                "(void *)(reprfunc)",
                "}, {0}}};",
            ),
        ] {
            let typed = typed(&format!("{before} f{after}"));
            assert_eq!(typed, format!("{before} {cast}f {after}"));
        }
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
