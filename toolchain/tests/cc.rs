//! The driver as build systems call it.

mod common;

use std::fs;
use std::process::ExitCode;

use common::{Bench, Tested, check, look};
use libtest_mimic::{Failed, Trial};
use pymode_toolchain::{Cache, libcxx};

fn main() -> ExitCode {
    let trials: Vec<Trial> = vec![
        Trial::test(
            "an_extension_module_exports_its_init_function_alone",
            extension_module,
        ),
        Trial::test(
            "an_extension_module_is_known_by_its_init_function",
            other_names,
        ),
        Trial::test(
            "an_archive_is_linked_and_a_library_is_needed",
            archive_and_needed,
        ),
        Trial::test("a_compile_error_is_the_compilers", compile_error),
        Trial::test("questions_are_answered", questions),
        Trial::test("dependencies_are_written", dependencies),
        Trial::test("an_object_is_known_by_text_and_flags", known_object),
        Trial::test("a_response_file_is_read", response_file),
        Trial::test("the_same_source_gives_the_same_bytes", reproducible),
        Trial::test("a_cxx_module_needs_the_shared_library", cxx_module),
        Trial::test("a_cxx_program_has_its_library_and_lends_it", cxx_program),
        Trial::test("setjmp_and_atexit_just_work", jumps),
        Trial::test("a_program_that_loads_modules_lends_its_libc", program),
    ];
    common::main(trials)
}

const EXTENSION: &str = "
    #include <stdio.h>
    #include <string.h>
    int counter = 3;
    __attribute__((weak)) int weak_one(int x) { return x + counter; }
    int helper(const char *s) { return (int)strlen(s); }
    int (*pointer)(int) = weak_one;
    int PyInit_mod(void) { printf(\"%d\", counter); return weak_one(1) + pointer(2) + helper(\"abc\"); }
";

/// Two trees with the same contents: what is compiled in the second was compiled in the first.
fn known_object() -> Tested {
    let marker = format!("{:?}-{}", std::time::SystemTime::now(), std::process::id());
    let source =
        format!("#include \"h.h\"\nconst char *marker(void) {{ return {marker:?} NAME; }}");
    let kept = || -> Result<usize, Failed> {
        let mut count = 0;
        for entry in fs::read_dir(Cache::open()?.root().join("objects"))? {
            // Another process may be filling it.
            if let Ok(bytes) = fs::read(entry?.path().join("object.o")) {
                count += usize::from(String::from_utf8_lossy(&bytes).contains(&marker));
            }
        }
        Ok(count)
    };
    let mut objects = Vec::new();
    for (header, flags) in [
        ("#define NAME \"\"\n", "-O2"),
        (
            "// The text behind the preprocessor is the same.\n#define NAME \"\"",
            "-O2",
        ),
        ("#define NAME \"other\"", "-O2"),
        ("#define NAME \"\"", "-O0"),
    ] {
        let bench = Bench::new(&[("a.c", &source), ("h.h", header)])?;
        bench.ok(&format!("cc {flags} -MD -MF a.d -MT a.o -c a.c -o a.o"))?;
        let dependencies = fs::read_to_string(bench.path("a.d"))?;
        check(
            dependencies.contains("h.h"),
            "dependencies are written, known or not",
            &dependencies,
        )?;
        objects.push((fs::read(bench.path("a.o"))?, kept()?));
    }
    let counts: Vec<usize> = objects.iter().map(|(_, count)| *count).collect();
    check(counts == [1, 1, 2, 3], "the second is known", &counts)?;
    check(objects[0].0 == objects[1].0, "it is the same", &counts)?;
    check(objects[0].0 != objects[2].0, "a header counts", &counts)
}

fn extension_module() -> Tested {
    let bench = Bench::new(&[("mod.c", EXTENSION)])?;
    bench.ok("cc -pthread -Wall -O2 -fPIC -c mod.c -o mod.o")?;
    let file = format!("mod{}", pymode_abi::EXT_SUFFIX);
    bench.ok(&format!(
        "cc -pthread -shared -Wl,-O1 mod.o -lm -lpthread -o {file}"
    ))?;
    let seen = look(&bench.path(&file))?;
    check(seen.dylink, "it is a side module", &seen)?;
    check(
        seen.abi.as_deref() == Some(&[1][..]),
        "it carries the ABI's version",
        &seen,
    )?;
    check(
        seen.exports.iter().any(|name| name == "PyInit_mod"),
        "the init function is exported",
        &seen,
    )?;
    check(
        !seen.exports.iter().any(|name| name == "helper"),
        "nothing else is",
        &seen,
    )?;
    check(
        seen.imports.iter().any(|name| name == "env.printf"),
        "libc is imported",
        &seen,
    )?;
    check(
        !seen.imports.iter().any(|name| name.contains("weak_one")),
        "no import of its own symbol",
        &seen,
    )
}

fn other_names() -> Tested {
    let bench = Bench::new(&[("mod.c", EXTENSION)])?;
    bench.ok("cc -O2 -c mod.c -o mod.o")?;
    for file in [
        "mod.abi3.so",
        "mod.cpython-313-x.so",
        "libmod.so",
        "mod.wasm",
    ] {
        bench.ok(&format!("cc -shared mod.o -o {file}"))?;
        let seen = look(&bench.path(file))?;
        let exports = &seen.exports;
        check(
            exports.iter().any(|name| name == "PyInit_mod")
                && !exports.iter().any(|name| name == "helper"),
            file,
            &seen,
        )?;
    }
    // rustc names what it exports, and leaves all else visible.
    bench.ok("cc -shared -Wl,--export=counter mod.o -o mod.so")?;
    let seen = look(&bench.path("mod.so"))?;
    let has = |name: &str| seen.exports.iter().any(|export| export == name);
    check(
        has("PyInit_mod") && has("counter") && !has("helper"),
        "what is named is exported, and nothing else",
        &seen,
    )?;
    bench.ok("cc -shared -Wl,--export=PyInit_mod mod.o -o crate.wasm")?;
    let seen = look(&bench.path("crate.wasm"))?;
    let has = |name: &str| seen.exports.iter().any(|export| export == name);
    check(
        has("PyInit_mod") && !has("helper"),
        "the file may be called after the crate",
        &seen,
    )?;
    // A library has all of its functions, whatever its file is called.
    for file in ["libother.so", "other.wasm"] {
        bench.ok(&format!("cc -shared mod.o -o {file}"))?;
        let seen = look(&bench.path(file))?;
        check(
            seen.exports.iter().any(|name| name == "helper"),
            file,
            &seen,
        )?;
    }
    Ok(())
}

fn archive_and_needed() -> Tested {
    let bench = Bench::new(&[
        ("a.c", "int from_archive(void) { return 7; }"),
        ("s.c", "int from_library(void) { return 8; }"),
        (
            "m.c",
            "int from_archive(void), from_library(void); int PyInit_m(void) { return from_archive() + from_library(); }",
        ),
    ])?;
    bench.ok("cc -O2 -c a.c -o a.o")?;
    bench.ok("ar rcs liba.a a.o")?;
    bench.ok("cc -O2 -shared s.c -o libs.so")?;
    bench.ok("cc -O2 -shared m.c -L. -la libs.so -Wl,-rpath,$ORIGIN/m.libs -o m.wasm")?;
    let seen = look(&bench.path("m.wasm"))?;
    check(
        seen.needed == ["libs.so"],
        "the library is needed by its basename",
        &seen,
    )?;
    check(
        seen.runtime_path == ["$ORIGIN/m.libs"],
        "its run path is kept",
        &seen,
    )?;
    check(
        !seen
            .imports
            .iter()
            .any(|name| name.ends_with("from_archive")),
        "the archive is inside",
        &seen,
    )
}

fn compile_error() -> Tested {
    let bench = Bench::new(&[("bad.c", "#include <sys/no_such_header.h>\n")])?;
    let output = bench.call("cc -c bad.c -o bad.o")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    check(output.status.code() == Some(1), "it ends with 1", &output)?;
    check(
        stderr.contains("bad.c:1:10:") && stderr.contains("no_such_header.h"),
        "file and line are reported",
        &output,
    )?;
    let output = bench.call("cc -shared bad.c -o bad.wasm")?;
    check(
        !output.status.success() && !bench.path("bad.wasm").exists(),
        "and nothing is linked",
        &output,
    )?;
    let output = bench.call("cc -o nothing")?;
    check(
        String::from_utf8_lossy(&output.stderr).contains("no input files"),
        "a missing input is reported",
        &output,
    )
}

fn questions() -> Tested {
    let bench = Bench::new(&[("a.c", "#ifdef __wasi__\nyes\n#endif\n")])?;
    check(
        bench.ok("cc -dumpmachine")?.starts_with("wasm32"),
        "the machine is wasm32",
        &"",
    )?;
    check(
        bench.ok("cc --version")?.starts_with("clang version"),
        "the compiler is clang",
        &"",
    )?;
    check(
        bench.ok("cc -Wl,--version")?.starts_with("LLD"),
        "the linker is LLD",
        &"",
    )?;
    check(
        bench.ok("cc -E a.c")?.contains("yes"),
        "the preprocessor knows WASI",
        &"",
    )
}

fn dependencies() -> Tested {
    let bench = Bench::new(&[("a.h", ""), ("a.c", "#include \"a.h\"\n")])?;
    bench.ok("cc -MD -MF a.d -MT target.o -c a.c -o a.o")?;
    let text = fs::read_to_string(bench.path("a.d"))?;
    check(
        text.starts_with("target.o:") && text.contains("a.h"),
        "the rule names target and header",
        &text,
    )
}

fn response_file() -> Tested {
    let bench = Bench::new(&[
        ("a.c", "int PyInit_a(void) { return VALUE; }"),
        ("args", "-DVALUE=1 -shared\n'a.c' -o a.wasm"),
    ])?;
    bench.ok("cc @args")?;
    check(bench.path("a.wasm").exists(), "the module is there", &"")
}

fn reproducible() -> Tested {
    let bench = Bench::new(&[(
        "a.c",
        "const char *PyInit_a(void) { return __DATE__ __TIME__ __FILE__; }",
    )])?;
    let build = || -> Result<Vec<u8>, Failed> {
        bench.ok("cc -O2 -shared a.c -o a.wasm")?;
        Ok(fs::read(bench.path("a.wasm"))?)
    };
    let first = build()?;
    // `__TIME__` counts seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    check(first == build()?, "the bytes are the same", &"")
}

fn cxx_module() -> Tested {
    let source = "
        #include <map>
        #include <stdexcept>
        #include <string>
        struct Base { virtual ~Base() {} virtual int f() = 0; };
        struct One : Base { std::map<std::string, int> m; int f() override { m[\"a\"] = 1; return m.at(\"a\"); } };
        extern \"C\" int PyInit_x(void) {
            One one;
            Base *base = &one;
            try { return base->f(); } catch (const std::exception &) { return 0; }
        }
    ";
    let bench = Bench::new(&[("x.cpp", source)])?;
    // Build systems compile with `CC`, and link with `CXX` or with the library by its name.
    for line in [
        "c++ -O2 -shared x.cpp -o x.wasm",
        "c++ -shared x.o -o x.wasm",
        "cc -shared x.o -lstdc++ -o x.wasm",
    ] {
        bench.ok("cc -O2 -c x.cpp -o x.o")?;
        bench.ok(line)?;
        let seen = look(&bench.path("x.wasm"))?;
        check(
            seen.needed == [libcxx::MODULE],
            "the C++ library is shared",
            &seen,
        )?;
        check(
            seen.imports
                .iter()
                .any(|name| name == "env.__cpp_exception"),
            "the tag is the program's",
            &seen,
        )?;
        check(
            seen.exports.iter().all(|name| !name.contains("_Z")),
            "nothing of C++ is exported",
            &seen,
        )?;
    }
    Ok(())
}

fn cxx_program() -> Tested {
    let source = "
        #include <cstdio>
        #include <stdexcept>
        int main() { try { throw std::runtime_error(\"x\"); } catch (std::exception &e) { std::puts(e.what()); } }
    ";
    let bench = Bench::new(&[("p.cpp", source)])?;
    bench.ok("c++ -O2 p.cpp -o p.wasm")?;
    let seen = look(&bench.path("p.wasm"))?;
    check(
        seen.imports
            .iter()
            .all(|name| name.starts_with("wasi_snapshot_preview1.") || name.starts_with("pymode.")),
        "it has its C++ library in itself",
        &seen,
    )?;
    bench.ok("c++ -O2 p.cpp -rdynamic -o q.wasm")?;
    let seen = look(&bench.path("q.wasm"))?;
    for name in [
        "__cpp_exception",
        "__c_longjmp",
        "__cxa_throw",
        "_ZNSt3__14coutE",
    ] {
        check(
            seen.exports.iter().any(|export| export == name),
            &format!("`{name}` is lent"),
            &seen,
        )?;
    }
    Ok(())
}

fn jumps() -> Tested {
    let source = "
        #include <setjmp.h>
        #include <stdlib.h>
        static jmp_buf here;
        static int closed;
        static void done(void) { closed++; }
        int f(int x) { atexit(done); if (setjmp(here)) return 1; if (x) longjmp(here, x); return 0; }
    ";
    let bench = Bench::new(&[("j.c", source)])?;
    bench.ok("cc -O2 -shared j.c -o libj.so")?;
    let seen = look(&bench.path("libj.so"))?;
    for name in [
        "__c_longjmp",
        "__wasm_setjmp",
        "__wasm_longjmp",
        "__cxa_atexit",
    ] {
        check(
            seen.imports.contains(&format!("env.{name}")),
            &format!("`{name}` is the program's"),
            &seen,
        )?;
    }
    check(
        !seen.imports.iter().any(|name| name == "env.atexit"),
        "`atexit` is its own",
        &seen,
    )
}

fn program() -> Tested {
    let source = "
        #include <dlfcn.h>
        #include <stdio.h>
        int main(int argc, char **argv) {
            void *handle = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
            if (!handle) { puts(dlerror()); return 1; }
            return ((int (*)(void))dlsym(handle, \"f\"))();
        }
    ";
    let bench = Bench::new(&[
        ("main.c", source),
        ("plain.c", "int main(void) { return 0; }"),
    ])?;
    bench.ok("cc -O2 main.c -ldl -o main.wasm")?;
    let seen = look(&bench.path("main.wasm"))?;
    for name in [
        "memory",
        "__indirect_function_table",
        "__stack_pointer",
        "malloc",
        "strrchr",
        "main",
    ] {
        let is_main = name == "main"; // WASI's crt calls it by another name when it takes arguments.
        check(
            is_main || seen.exports.iter().any(|export| export == name),
            &format!("`{name}` is exported"),
            &seen,
        )?;
    }
    check(
        seen.imports.iter().any(|name| name == "pymode.dl_open"),
        "dlopen asks the host",
        &seen,
    )?;
    // What glibc needs no word for needs none here.
    bench.ok("cc -O2 main.c -o silent.wasm")?;
    let silent = look(&bench.path("silent.wasm"))?;
    check(
        silent.exports == seen.exports && silent.imports == seen.imports,
        "a program that calls dlopen is linked for it",
        &silent,
    )?;
    bench.ok("cc -O2 plain.c -o plain.wasm")?;
    let seen = look(&bench.path("plain.wasm"))?;
    check(
        seen.exports == ["memory", "_start"],
        "a plain program lends nothing",
        &seen,
    )
}
