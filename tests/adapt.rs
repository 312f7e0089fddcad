//! Functions of C and C++ that are called as another type than they have, in the guest: `adapt/called.c` and `adapt/called.cc`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Failed, Trial};
use pymode_tests::{Engine, Pymode};

/// An expression, and its expected value. `m` is the module.
const TABLE: &[(&str, &str)] = &[
    ("m.varargs_3(1)", "('varargs_3', (1,), 0)"),
    ("m.decimal(1)", "('varargs_3', (1,), 0)"),
    ("m.noargs_3()", "('noargs_3', None, 0)"),
    ("m.noargs_1()", "('noargs_1', None, 0)"),
    ("m.noargs_0()", "('noargs_0', None, 0)"),
    ("m.o_3(2)", "('o_3', 2, 0)"),
    ("m.o_numbers(2)", "('o_numbers', 2, 0.0, 0, 0.0)"),
    ("m.fast_4(3)", "('fast_4', 3, 0)"),
    ("m.fast_2(3)", "('fast_2', 3, 0)"),
    ("m.fast_wide(3, 4)", "('fast_wide', 2)"),
    ("m.keywords_3(4, a=1)", "('keywords_3', (4,), 1)"),
    ("m.keywords_4(4, a=1)", "('keywords_4', (4,), 0)"),
    ("m.keywords_2(4, a=1)", "('keywords_2', (4,), 0)"),
    ("m.sorted()", "(1, 2, 3, 1)"),
    // Static and heap types.
    ("s", "<repr 0 0>"),
    ("h", "<repr 1 0>"),
    ("str(s)", "'<str>'"),
    (
        "list(m.static_type()), list(m.heap_type())",
        "([0, 1, 2], [1, 2])",
    ),
    ("hash(s), hash(h)", "(77, 77)"),
    ("s(5), h(5)", "(('call_4', (5,), 0), ('call_4', (5,), 0))"),
    ("s == s, s != s", "(True, False)"),
    ("h == h", "'compare_2'"),
    ("s + 1, h + 1", "(('add_3', 1, 0), ('add_3', 1, 0))"),
    ("bool(s), 7 in s", "(True, True)"),
    ("len(s), len(h)", "(3, 3)"),
    (
        "s['k'], h['k']",
        "(('subscript_3', 'k', 0), ('subscript_3', 'k', 0))",
    ),
    ("s.__setitem__(1, 2), s.number()", "(None, 40)"),
    ("h.__setitem__(1, 2), h.number()", "(None, 40)"),
    (
        "s.free_pass(6), h.free_pass(6)",
        "(('free_pass', (6,), 0), ('free_pass', (6,), 0))",
    ),
    (
        "s.three, h.three, s.zero",
        "(('get_3', None, 0), ('get_3', None, 0), 'get_0')",
    ),
    ("setattr(s, 'three', 1), s.number()", "(None, 5)"),
    (
        "type(s.__await__()) is m.static_type, type(h.__await__()) is m.heap_type",
        "(True, True)",
    ),
    ("bytes(m.static_type())", "b'buffer'"),
    // What ends: a buffer was released, and things died; then a capsule, and a call that was pending.
    ("ends(lambda: memoryview(m.static_type()).release())", "101"),
    ("ends(lambda: m.heap_type())", "1"),
    ("ends(lambda: m.capsule())", "1000"),
    (
        "ends(lambda: (m.later(), list(map(abs, range(9)))))",
        "10000",
    ),
];

const SCRIPT: &str = "
import sys
module = sys.argv[1]
m = __import__(module)
s, h = m.static_type(), m.heap_type()
def ends(what):
    before = m.count()
    what()
    return m.count() - before
for line in open('table.txt').read().splitlines():
    print(repr(eval(line)), flush=True)
print(m.leave(), flush=True)
";

fn main() -> ExitCode {
    pymode_tests::run(|pymode| {
        let modules = ["called_c", "called_cxx"];
        let pairs = Engine::ALL
            .iter()
            .flat_map(|&engine| modules.map(|module| (engine, module)));
        let trial = |(engine, module): (Engine, &'static str)| {
            let pymode = pymode.clone();
            let name = format!("{}/adapt/{module}", engine.0);
            Trial::test(name, move || evaluate(&pymode, engine, module))
        };
        pairs.map(trial).collect()
    })
}

fn evaluate(pymode: &Pymode, engine: Engine, module: &str) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("adapt");
    let sdist = pymode_tests::sdist(&sources, "adapted", scratch.path())?;
    fs::write(scratch.path().join("main.py"), SCRIPT)?;
    let lines: Vec<&str> = TABLE.iter().map(|(expression, _)| *expression).collect();
    fs::write(scratch.path().join("table.txt"), lines.join("\n"))?;
    let output = pymode
        .command()
        .current_dir(scratch.path())
        .args(["run", "--engine", engine.0, "--with"])
        .arg(&sdist)
        .args(["main.py", module])
        .output()?;
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let mut answers = stdout.lines();
    for (expression, wanted) in TABLE {
        let answer = answers.next();
        if answer != Some(wanted) {
            let answer = answer.unwrap_or("nothing");
            return Err(format!("`{expression}` is {answer}, not {wanted}\n{stderr}").into());
        }
    }
    // Both functions run at the end, and the module says so before.
    let rest: Vec<&str> = answers.collect();
    if !output.status.success() || rest != ["0", "at exit", "at exit"] {
        return Err(format!("{}: it ends with {rest:?}\n{stderr}", output.status).into());
    }
    Ok(())
}
