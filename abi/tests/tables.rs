//! The tables: sorted, searchable, and complete for the imports of real side modules.

use pymode_abi::{
    EXPORTS, EXT_SUFFIX, ExportKind, IMPORTS, PLATFORM_TAG, VERSION, WHEEL_TAG, Why, export, import,
};

#[test]
fn every_entry_is_found_by_its_name() {
    assert!(EXPORTS.is_sorted_by(|a, b| a.name < b.name));
    assert!(IMPORTS.is_sorted_by(|a, b| a.name < b.name));
    assert!(
        EXPORTS
            .iter()
            .all(|entry| export(entry.name) == Some(entry))
    );
    assert!(
        IMPORTS
            .iter()
            .all(|entry| import(entry.name) == Some(entry))
    );
    assert_eq!(export("PyLong_FromLonh"), None);
    assert_eq!(import(""), None);
}

/// Imports of pydantic-core, markupsafe, simplejson and Rust's standard library besides the plain C API.
#[test]
fn imports_of_real_modules_are_exported() {
    for name in [
        "malloc",
        "calloc",
        "realloc",
        "free",
        "posix_memalign",
        "aligned_alloc",
        "memcpy",
        "memmove",
        "memset",
        "memcmp",
        "strlen",
        "strrchr",
        "strerror_r",
        "getcwd",
        "clock_gettime",
        "writev",
        "snprintf",
        "abort",
        "__errno_location",
        "__assert_fail",
        "__cxa_atexit",
        "__wasilibc_get_environ",
        "environ",
        "errno",
        "stdout",
        "_CLOCK_REALTIME",
        "_CLOCK_MONOTONIC",
        "__multi3",
        "__divti3",
        "__addtf3",
        "logl",
        "cexp",
    ] {
        assert!(export(name).is_some(), "`{name}` is not exported");
    }
    for name in [
        "errno",
        "environ",
        "stderr",
        "_CLOCK_REALTIME",
        "PyExc_ValueError",
        "_Py_NoneStruct",
    ] {
        assert_eq!(
            export(name).map(|entry| entry.kind),
            Some(ExportKind::Data),
            "`{name}`"
        );
    }
}

#[test]
fn the_init_functions_of_built_in_modules_are_not_exported() {
    assert!(
        !EXPORTS
            .iter()
            .any(|entry| entry.name.starts_with("PyInit_"))
    );
    assert!(
        EXPORTS
            .iter()
            .filter(|entry| entry.why == Why::Python)
            .count()
            > 1500
    );
}

#[test]
fn each_name_of_the_contract_carries_the_version() {
    assert!(EXT_SUFFIX.ends_with(&format!("pymode{VERSION}.wasm")));
    assert_eq!(WHEEL_TAG, format!("cp313-cp313-{PLATFORM_TAG}"));
    assert_eq!(PLATFORM_TAG, format!("pymode_{VERSION}_wasm32"));
}
