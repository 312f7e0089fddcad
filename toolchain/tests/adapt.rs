//! Functions that are called with more than they take.

mod common;

use std::process::ExitCode;

use common::{Bench, Tested, check, look};
use libtest_mimic::Trial;

fn main() -> ExitCode {
    common::main(vec![
        Trial::test(
            "a_function_with_fewer_parameters_than_the_caller_gives_is_adapted",
            adapted,
        ),
        Trial::test("a_slot_of_a_heap_type_is_adapted", slots),
        Trial::test("a_method_is_called_as_its_flags_say", methods),
        Trial::test("what_cannot_be_adapted_is_a_note_with_its_place", notes),
        Trial::test("a_pointer_that_compilers_reject_stays_an_error", rejected),
    ])
}

fn adapted() -> Tested {
    // The address of `wants` is what a caller of the wrong type would get: it must be called by an adapter, and not handed out.
    let source = "
        typedef void *(*PyCFunction)(void *self, void *args);
        #ifdef __cplusplus
        extern \"C\" {
        #endif
        void *wants(void *self);
        int nothing(void);
        void *keywords(void *self, void *args, void *names);
        #ifdef __cplusplus
        }
        #endif
        #define ENTRY(function) (PyCFunction)function
        PyCFunction all[] = {ENTRY(wants), (PyCFunction) nothing, (PyCFunction)keywords};
    ";
    let bench = Bench::new(&[("a.c", source), ("b.cpp", source)])?;
    for (tool, file) in [("cc", "a.c"), ("c++", "b.cpp")] {
        for line in [
            format!(
                "{tool} -O2 -Werror -fdiagnostics-color=always -MD -MF deps.d -c {file} -o x.o"
            ),
            format!("{tool} -O2 -shared {file} -o x.so"),
        ] {
            let output = bench.call(&line)?;
            let said = String::from_utf8_lossy(&output.stderr);
            let names = format!("note: {file}: adapters call `wants`, `nothing`");
            check(
                output.status.success() && said.contains(&names),
                &line,
                &output,
            )?;
        }
        check(
            bench.path("deps.d").exists(),
            "dependencies are written",
            &"",
        )?;
        let seen = look(&bench.path("x.so"))?;
        let imports = |name: &str| seen.imports.iter().any(|import| import == name);
        check(
            imports("env.wants") && !imports("GOT.func.wants") && imports("GOT.func.keywords"),
            file,
            &seen,
        )?;
    }
    Ok(())
}

fn slots() -> Tested {
    let source = "
        typedef struct { int slot; void *function; } PyType_Slot;
        typedef int (*inquiry)(void *self);
        typedef int (*initproc)(void *self, void *args, void *names);
        extern void clear(void *self);
        extern int init(void *self, void *args, void *names);
        typedef struct { const char *name; PyType_Slot *slots; } PyType_Spec;
        PyType_Slot slots[] = {{51, (void *)clear}, {60, init}, {0, 0}};
        PyType_Spec spec = {\"a\", slots};
        typedef struct { PyType_Slot *slots; } Other_Spec;
        extern void other(void *self);
        PyType_Slot own_numbers[] = {{51, (void *)other}, {0, 0}};
        Other_Spec others = {own_numbers};
    ";
    let bench = Bench::new(&[("a.c", source)])?;
    bench.ok("cc -O2 -shared a.c -o a.so")?;
    let seen = look(&bench.path("a.so"))?;
    let imports = |name: &str| seen.imports.iter().any(|import| import == name);
    check(
        imports("env.clear") && !imports("GOT.func.clear"),
        "a function without a result is called by an adapter",
        &seen,
    )?;
    check(
        imports("GOT.func.init"),
        "a function of the slot's own type is handed out",
        &seen,
    )?;
    check(
        imports("GOT.func.other"),
        "what is no type's slot stays",
        &seen,
    )
}

fn methods() -> Tested {
    let source = "
        typedef struct { int x; } PyObject;
        typedef int Py_ssize_t;
        typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
        typedef PyObject *(*PyCFunctionWithKeywords)(PyObject *, PyObject *, PyObject *);
        typedef struct { const char *name; PyCFunction function; int flags; } PyMethodDef;
        extern PyObject *two(PyObject *, PyObject *);
        extern PyObject *three(PyObject *, PyObject *, PyObject *);
        extern PyObject *fast(PyObject *, PyObject *const *);
        PyMethodDef methods[] = {
            {\"two\", (PyCFunction)(void (*)(void))two, 0x0001 | 0x0002},
            {\"three\", (PyCFunction)(void (*)(void))three, 0x0001 | 0x0002},
            {\"fast\", (PyCFunction)(void (*)(void))fast, 0x0080},
            {0},
        };
    ";
    let bench = Bench::new(&[
        ("a.c", source),
        ("b.cpp", &format!("extern \"C\" {{{source}}}")),
    ])?;
    for line in [
        "cc -O2 -shared a.c -o a.so",
        "c++ -O2 -shared b.cpp -o a.so",
    ] {
        bench.ok(line)?;
        let seen = look(&bench.path("a.so"))?;
        let handed_out = |name: &str| {
            let name = format!("GOT.func.{name}");
            seen.imports.contains(&name)
        };
        check(
            !handed_out("two") && handed_out("three") && !handed_out("fast"),
            line,
            &seen,
        )?;
    }
    Ok(())
}

/// The types of CPython that the sources below use.
const TYPES: &str = "typedef struct _object {int x;} PyObject; typedef long (*hashfunc)(PyObject *); typedef PyObject *(*reprfunc)(PyObject *);
    typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
";

fn notes() -> Tested {
    let header = "static hashfunc in_a_header = (hashfunc)fraction;";
    let source = format!(
        "{TYPES}typedef struct {{int q[4];}} S;
        double fraction(PyObject *);

        #include \"h.h\"
        // A comment.
        long structure(PyObject *, S);
        #define SLOT(f) ((hashfunc)f)

        hashfunc by_macro = SLOT(structure);
        PyCFunction keywords(PyObject *(*own)(PyObject *, PyObject *, PyObject *)) {{
            return (PyCFunction)own;
        }}
        reprfunc variable(PyObject *(*own)(PyObject *, PyObject *)) {{
            return (reprfunc)own;
        }}
        PyObject *well(PyObject *, PyObject *);
        reprfunc adapted = (reprfunc)well;
        // As Cython and mypyc call a method: its flags have said that it is one with keywords.
        typedef PyObject *(*PyCFunctionWithKeywords)(PyObject *, PyObject *, PyObject *);
        PyObject *by_flags(PyCFunction method, PyObject *self) {{
            return ((PyCFunctionWithKeywords)(void (*)(void))method)(self, self, self);
        }}
        "
    );
    let bench = Bench::new(&[("a.c", &source), ("h.h", header)])?;
    // The second time, the object is known, and a comment may have moved the lines.
    for line in ["cc -c a.c -o a.o", "cc -c a.c -o b.o"] {
        let output = bench.call(line)?;
        let said = String::from_utf8_lossy(&output.stderr);
        let notes: Vec<&str> = said.lines().collect();
        let wanted = [
            "./h.h:1: `(hashfunc)fraction` cannot be adapted to its caller: `double (*)(PyObject *)` is called as `long (*)(struct _object *)`; the call traps",
            "a.c:11: `(hashfunc)structure` cannot be adapted to its caller: `long (*)(PyObject *, S)` is called as `long (*)(struct _object *)`; the call traps",
            "a.c:16: `(reprfunc)own` cannot be adapted to its caller: it is not the name of a function; the call traps",
            "a.c: adapters call `well` as what they are: they are called as another type",
        ]
        .map(|note| format!("pymode cc: note: {note}"));
        check(output.status.success() && notes == wanted, line, &notes)?;
    }
    Ok(())
}

fn rejected() -> Tested {
    let source = format!("{TYPES}PyObject *two(PyObject *, PyObject *); reprfunc f = two;");
    let bench = Bench::new(&[("a.c", &source)])?;
    // Scripts that configure a project try what a compiler takes.
    let output = bench.call("cc -c a.c -o a.o")?;
    check(!output.status.success(), "it is an error", &output)?;
    let output = bench.call("cc -Wno-incompatible-function-pointer-types -c a.c -o a.o")?;
    let said = String::from_utf8_lossy(&output.stderr);
    check(
        output.status.success() && said.contains("adapters call `two`"),
        "it is adapted if it is none",
        &output,
    )
}
