//! Programs and libraries as the driver links them: what they hold, and what stands in a program for its libraries.

mod common;

use std::fs;
use std::process::ExitCode;

use common::{Bench, Tested, check, look};
use libtest_mimic::Trial;

fn main() -> ExitCode {
    common::main(vec![
        Trial::test(
            "a_library_lets_others_define_its_symbols_first_unless_it_is_symbolic",
            library,
        ),
        Trial::test("zeros_are_not_stored", zeros),
        Trial::test("a_program_is_linked_with_libraries", linked),
        Trial::test("what_cannot_be_linked_is_named", not_linked),
        Trial::test("a_program_holds_what_it_needs", program_sizes),
    ])
}

const LIBRARY: &str = "
    int counter = 3;
    __attribute__((weak)) int weak_one(int x) { return x + counter; }
    int helper(int x) { return x + 1; }
    int (*pointer)(int) = weak_one;
    int user(void) { return weak_one(1) + pointer(2) + helper(3); }
";

fn library() -> Tested {
    let bench = Bench::new(&[("lib.c", LIBRARY)])?;
    // What each way to link leaves to other modules: weak and strong functions by call, functions by address, data.
    let ways = [
        (
            "",
            &["env.weak_one", "GOT.func.weak_one", "GOT.mem.counter"][..],
            &["helper"][..],
        ),
        (
            "-Wl,-Bsymbolic",
            &[],
            &["weak_one", "counter", "helper", "pointer"],
        ),
        (
            "-Wl,-Bsymbolic-functions",
            &["GOT.mem.counter"],
            &["weak_one", "helper"],
        ),
        (
            "-fsemantic-interposition",
            &["env.weak_one", "env.helper", "GOT.mem.counter"],
            &[],
        ),
    ];
    for (flag, imported, own) in ways {
        bench.ok(&format!(
            "cc -shared -O2 -fno-inline {flag} lib.c -o libone.so"
        ))?;
        let seen = look(&bench.path("libone.so"))?;
        for name in ["helper", "counter", "weak_one", "pointer"] {
            check(
                seen.exports.iter().any(|export| export == name),
                &format!("`{name}` is exported"),
                &seen,
            )?;
        }
        for name in imported {
            let is_there = seen.imports.iter().any(|import| import == name);
            check(is_there, &format!("{flag}: `{name}` is imported"), &seen)?;
        }
        for name in own {
            let is_there = seen
                .imports
                .iter()
                .any(|import| import.ends_with(&format!(".{name}")));
            check(
                !is_there,
                &format!("{flag}: `{name}` is not imported"),
                &seen,
            )?;
        }
    }
    Ok(())
}

/// 40 MB in a library and in a program, of which two bytes are not zero.
fn zeros() -> Tested {
    let source = "
        char none[20 << 20];
        char some[20 << 20] = { [5] = 1, [10 << 20] = 2 };
        int sum(void) { return none[7] + some[5] + some[10 << 20]; }
    ";
    let bench = Bench::new(&[
        ("a.c", source),
        ("main.c", "int sum(void); int main(void) { return sum(); }"),
    ])?;
    bench.ok("cc -O2 -shared a.c -o liba.so")?;
    bench.ok("cc -O2 main.c a.c -o main.wasm")?;
    for (file, most) in [("liba.so", 2 << 10), ("main.wasm", 64 << 10)] {
        let size = fs::metadata(bench.path(file))?.len();
        check(size < most, &format!("`{file}` is small"), &size)?;
    }
    Ok(())
}

const UPPER: &str = "
    #include <string.h>
    int counter = 41;
    int table[3] = { 1, 2, 3 };
    extern int from_main;
    int upper(int c) { counter++; return c - 32 + from_main; }
    size_t length(const char *s) { return strlen(s); }
";

fn linked() -> Tested {
    let main = "
        extern int counter, table[3];
        int from_main = 0;
        int upper(int);
        int unused(int);
        int main(void) { int (*volatile f)(int) = upper; return f('a') + upper('b') + counter + table[1]; }
    ";
    let own = "int upper(int c) { return c; }";
    let bench = Bench::new(&[("upper.c", UPPER), ("main.c", main), ("own.c", own)])?;
    bench.ok("cc -O2 -shared upper.c -o libupper.so")?;
    for line in [
        "cc -O2 main.c libupper.so -o main.wasm",
        "cc -O2 main.c -L. -lupper -Wl,-rpath,$ORIGIN -o main.wasm",
    ] {
        bench.ok(line)?;
        let seen = look(&bench.path("main.wasm"))?;
        let has = |name: &str| seen.exports.iter().any(|export| export == name);
        for name in [
            "plt.upper",
            "counter",
            "table",
            "from_main",
            "strlen",
            "malloc",
            "memcpy",
        ] {
            check(has(name), &format!("`{name}` is exported"), &seen)?;
        }
        check(
            !has("upper") && !has("printf"),
            "and what nobody asks for is not",
            &seen,
        )?;
        check(seen.link.is_some(), "it says what it needs", &seen)?;
        let size = fs::metadata(bench.path("main.wasm"))?.len();
        check(size < 48 << 10, "it is small", &size)?;
    }
    // A symbol that the program defines has no stub.
    bench.ok("cc -O2 main.c own.c libupper.so -o main.wasm")?;
    let seen = look(&bench.path("main.wasm"))?;
    let has = |name: &str| seen.exports.iter().any(|export| export == name);
    check(
        !has("plt.upper") && has("counter"),
        "the program's own comes first",
        &seen,
    )
}

fn not_linked() -> Tested {
    let bench = Bench::new(&[
        ("upper.c", UPPER),
        (
            "size.c",
            "extern int counter; int from_main; int main(void) { return counter; }",
        ),
        (
            "missing.c",
            "int missing(void); int main(void) { return missing(); }",
        ),
    ])?;
    bench.ok("cc -O2 -shared upper.c -o libupper.so")?;
    // A library that does not say how large its data is.
    let mut library = fs::read(bench.path("libupper.so"))?;
    let section = b"pymode.sizes";
    let at = library
        .windows(section.len())
        .position(|window| window == section);
    library[at.ok_or("the library says how large its data is")?] = b'P';
    fs::write(bench.path("libupper.so"), library)?;
    for (file, words) in [
        (
            "size.c",
            &["`counter` of `libupper.so` cannot be linked", "hint:"][..],
        ),
        ("missing.c", &["undefined symbol: missing"]),
    ] {
        let output = bench.call(&format!("cc -O2 {file} libupper.so -o main.wasm"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        check(!output.status.success(), "it fails", &said)?;
        check(words.iter().all(|word| said.contains(word)), file, &said)?;
    }
    Ok(())
}

/// Debug information is there if the user's objects have some; libc is exported for libraries that are not known.
fn program_sizes() -> Tested {
    let plain = "#include <stdio.h>\nint main(void) { puts(\"a\"); }";
    let opens =
        "#include <dlfcn.h>\nint main(int n, char **words) { return !dlopen(words[1], RTLD_NOW); }";
    let bench = Bench::new(&[("plain.c", plain), ("opens.c", opens)])?;
    for (line, least, most) in [
        ("cc plain.c -o main.wasm", 0, 48 << 10),
        ("cc opens.c -o main.wasm", 0, 640 << 10),
        ("cc -g plain.c -o main.wasm", 200 << 10, 4 << 20),
    ] {
        bench.ok(line)?;
        let size = fs::metadata(bench.path("main.wasm"))?.len();
        check((least..most).contains(&size), line, &size)?;
    }
    Ok(())
}
