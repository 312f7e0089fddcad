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
            format!("{tool} -O2 -Werror -MD -MF deps.d -c {file} -o x.o"),
            format!("{tool} -O2 -shared {file} -o x.so"),
        ] {
            let output = bench.call(&line)?;
            let said = String::from_utf8_lossy(&output.stderr);
            let names = "`(PyCFunction)wants`, `(PyCFunction) nothing`: an adapter drops";
            check(
                output.status.success() && said.contains(names),
                &line,
                &output,
            )?;
        }
        check(bench.path("deps.d").exists(), "dependencies are told", &"")?;
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
        PyType_Slot slots[] = {{51, (void *)clear}, {60, init}, {0, 0}};
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
    )
}
