//! The types that CPython and libc call functions as.

/// The types of CPython that it calls through with all of their parameters. A function that is cast to one of them is called
/// as that type; [`PyCFunction`](METHOD) is not among them, because a method's flags say how that is called.
const CALLED: &[&str] = &[
    "PyCFunctionFast",
    "PyCFunctionFastWithKeywords",
    "PyCFunctionWithKeywords",
    "PyCMethod",
    "PyCapsule_Destructor",
    "PyOS_sighandler_t",
    "Py_AuditHookFunction",
    "Py_OpenCodeHookFunction",
    "Py_tracefunc",
    "_PyCFunctionFast",
    "_PyCFunctionFastWithKeywords",
    "allocfunc",
    "binaryfunc",
    "descrgetfunc",
    "descrsetfunc",
    "destructor",
    "freefunc",
    "getattrfunc",
    "getattrofunc",
    "getbufferproc",
    "getiterfunc",
    "getter",
    "hashfunc",
    "initproc",
    "inquiry",
    "iternextfunc",
    "lenfunc",
    "newfunc",
    "objobjargproc",
    "objobjproc",
    "releasebufferproc",
    "reprfunc",
    "richcmpfunc",
    "sendfunc",
    "setattrfunc",
    "setattrofunc",
    "setter",
    "ssizeargfunc",
    "ssizeobjargproc",
    "ssizessizeargfunc",
    "ssizessizeobjargproc",
    "ternaryfunc",
    "traverseproc",
    "unaryfunc",
    "vectorcallfunc",
    "visitproc",
];

/// The type of a method, as its table holds it.
pub(super) const METHOD: &str = "PyCFunction";

/// The types that [`method`] and [`module_slot`] spell out, as clang prints them: not all that CPython calls these is there in
/// the limited API.
const TWO: &str = "PyObject *(*)(PyObject *, PyObject *)";
const FAST: &str = "PyObject *(*)(PyObject *, PyObject *const *, Py_ssize_t)";
const FAST_KEYWORDS: &str = "PyObject *(*)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *)";
const OF_A_CLASS: &str =
    "PyObject *(*)(PyObject *, PyTypeObject *, PyObject *const *, Py_ssize_t, PyObject *)";
const CREATE: &str = "PyObject *(*)(PyObject *, PyModuleDef *)";
const EXECUTE: &str = "int (*)(PyObject *)";
const INITIALIZE: &str = "PyObject *(*)(void)";

const SPELLED_OUT: &[&str] = &[
    TWO,
    FAST,
    FAST_KEYWORDS,
    OF_A_CLASS,
    CREATE,
    EXECUTE,
    INITIALIZE,
];

/// The prefix of the names in [`TYPES`].
const OURS: &str = "pymode_call_";

/// Declares the types of the callbacks of libc, on one line.
pub(super) const TYPES: &str = "typedef int (*pymode_call_compare)(const void *, const void *); \
     typedef int (*pymode_call_compare_with)(const void *, const void *, void *); \
     typedef void (*pymode_call_plain)(void); \
     typedef void (*pymode_call_pointer)(void *); \
     typedef void *(*pymode_call_thread)(void *); \
     typedef int (*pymode_call_pending)(void *); \
     typedef void (*pymode_call_signal)(int); ";

/// Functions that call a function that they are given: their names, the position of that argument, and its type.
const CALLERS: &[(&str, usize, &str)] = &[
    ("PyCapsule_New", 2, "PyCapsule_Destructor"),
    ("PyCapsule_SetDestructor", 1, "PyCapsule_Destructor"),
    ("PyEval_SetProfile", 0, "Py_tracefunc"),
    ("PyEval_SetTrace", 0, "Py_tracefunc"),
    ("PyImport_AppendInittab", 1, INITIALIZE),
    ("PyOS_setsig", 1, "pymode_call_signal"),
    ("PyThread_start_new_thread", 0, "pymode_call_pointer"),
    ("Py_AddPendingCall", 0, "pymode_call_pending"),
    ("Py_AtExit", 0, "pymode_call_plain"),
    ("at_quick_exit", 0, "pymode_call_plain"),
    ("atexit", 0, "pymode_call_plain"),
    ("bsearch", 4, "pymode_call_compare"),
    ("pthread_create", 2, "pymode_call_thread"),
    ("pthread_key_create", 1, "pymode_call_pointer"),
    ("pthread_once", 1, "pymode_call_plain"),
    ("qsort", 3, "pymode_call_compare"),
    ("qsort_r", 3, "pymode_call_compare_with"),
    ("signal", 1, "pymode_call_signal"),
];

/// Words of a source that may hold functions for callers, besides [`CALLED`] and [`CALLERS`].
const TABLES: &[&str] = &[
    METHOD,
    "PyAsyncMethods",
    "PyBufferProcs",
    "PyGetSetDef",
    "PyMappingMethods",
    "PyMethodDef",
    "PyModuleDef",
    "PyModuleDef_Slot",
    "PyNumberMethods",
    "PySequenceMethods",
    "PyTypeObject",
    "PyType_Slot",
    "_PyCFunction_CAST",
    "tp_dealloc",
];

/// Returns true for a word that only a source has that may give away a function.
pub(super) fn is_a_sign(word: &str) -> bool {
    CALLED.binary_search(&word).is_ok() || TABLES.contains(&word) || caller(word).is_some()
}

/// Returns true for a type that a function is called as once it is cast to it.
pub(super) fn is_called(target: &str) -> bool {
    let target = target.trim_start_matches("::");
    CALLED.binary_search(&target).is_ok()
        || SPELLED_OUT.contains(&target)
        || target.starts_with(OURS)
}

/// Returns true for a type of [`TYPES`].
pub(super) fn is_ours(target: &str) -> bool {
    target.starts_with(OURS)
}

/// The position and the type of the function that a function calls.
pub(super) fn caller(name: &str) -> Option<(usize, &'static str)> {
    let at = CALLERS.binary_search_by(|(caller, ..)| caller.cmp(&name));
    at.ok().map(|at| (CALLERS[at].1, CALLERS[at].2))
}

/// The type of a method's function by the method's flags (CPython's `Include/methodobject.h`), which the preprocessor leaves
/// behind as numbers: `0x0001 | 0x0002`.
pub(super) fn method(flags: &str) -> Option<&'static str> {
    const WHERE_IT_LIVES: u32 = 0x0010 | 0x0020 | 0x0040;
    let mut all = 0;
    for flag in flags.split('|') {
        all |= number(flag)?;
    }
    Some(match all & !WHERE_IT_LIVES {
        0x0001 | 0x0004 | 0x0008 => TWO,
        0x0003 => "PyCFunctionWithKeywords",
        0x0080 => FAST,
        0x0082 => FAST_KEYWORDS,
        0x0282 => OF_A_CLASS,
        _ => return None,
    })
}

/// A number, in parentheses or not.
pub(super) fn number(text: &str) -> Option<u32> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '(' || c == ')');
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The type of the function in a slot of a module (CPython's `Include/moduleobject.h`).
pub(super) fn module_slot(slot: u32) -> Option<&'static str> {
    match slot {
        1 => Some(CREATE),
        2 => Some(EXECUTE),
        _ => None,
    }
}

/// The type of the function in a slot of a type, by the slot's number (CPython's `Include/typeslots.h`; part of its stable
/// ABI).
pub(super) fn type_slot(slot: u32) -> Option<&'static str> {
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
        81 => "sendfunc",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        assert!(CALLED.is_sorted());
        assert!(CALLERS.is_sorted());
        assert_eq!(caller("qsort"), Some((3, "pymode_call_compare")));
        assert!(is_called("::getter") && is_called(TWO) && !is_called(METHOD));
    }

    #[test]
    fn flags_are_numbers_of_any_base() {
        assert_eq!(method("1"), Some(TWO));
        assert_eq!(
            method("(0x0001 | 0x0002) | 0x0020"),
            Some("PyCFunctionWithKeywords")
        );
        assert_eq!(method("0x0200 | 0x0080 | 0x0002"), Some(OF_A_CLASS));
        assert_eq!(method("FLAGS"), None);
    }
}
