//! Omitted modules, and messages with a project's files.

use std::fs;

use pymode_workerd::{Settings, WorkerMode};

use crate::app::App;

/// Imports the modules in the query; answers with the type, name and message of an error.
const IMPORTS: &str = "
import importlib, importlib.util
from pymode.workers import Response

def on_fetch(request, env):
    lines = []
    for name in request.url.partition('?')[2].split(','):
        found = importlib.util.find_spec(name) is not None
        try:
            importlib.import_module(name)
            lines.append(f'{name} {found}')
        except ImportError as error:
            lines.append(f'{name} {found} {type(error).__name__} {error.name}: {error}')
    return Response('\\n'.join(lines))
";

#[test]
fn a_module_that_is_left_out_is_not_found_and_says_how_to_have_it() {
    let settings = Settings {
        without: vec!["sqlite3".to_owned()],
        with: vec!["this".to_owned()],
        ..Settings::default()
    };
    let app = App::with_settings(&settings, |sources| {
        fs::write(sources.join("entry.py"), IMPORTS).expect("it can be written");
    });
    let answer =
        app.get("/?ctypes,curses,tkinter,fcntl,venv,pydoc_data,sqlite3,_sqlite3,this,json,nosuch");
    let text = answer.text();
    let mut lines = text
        .split('\n')
        .filter(|line| !line.starts_with("  hint: "));
    for expected in [
        "ctypes False ModuleNotFoundError ctypes: No module named 'ctypes': this module of the standard library is not available on WASI",
        "curses False ModuleNotFoundError curses: No module named 'curses': this module of",
        "tkinter False ModuleNotFoundError tkinter: No module named 'tkinter': this module of",
        "fcntl False ModuleNotFoundError fcntl: No module named 'fcntl': this module of",
        "venv False ModuleNotFoundError venv: No module named 'venv': it is omitted from this Worker",
        "pydoc_data False ModuleNotFoundError pydoc_data: No module named 'pydoc_data': it is omitted from this Worker",
        "sqlite3 False ModuleNotFoundError sqlite3: No module named 'sqlite3': `without` in `[tool.pymode]` omits it from this Worker",
        "_sqlite3 False ModuleNotFoundError _sqlite3: No module named '_sqlite3': `without` in",
        "this True",
        "json True",
        "nosuch False ModuleNotFoundError nosuch: No module named 'nosuch'",
    ] {
        let line = lines.next().unwrap_or_default();
        assert!(
            line.starts_with(expected),
            "{expected}\n{text}\n{}",
            app.log()
        );
    }
    assert!(
        text.contains("\n  hint: keep it with `with = [\"venv\"]` in `[tool.pymode]`\n"),
        "{text}"
    );
}

/// All kinds of messages, in the log and in the answer.
#[test]
fn messages_name_the_files_of_the_project() {
    let entry = "
import logging, traceback, warnings
import helper
from pymode.workers import Response

def on_fetch(request, env):
    match request.url.rsplit('/', 1)[1]:
        case 'raise': helper.fails()
        case 'group':
            try:
                helper.fails()
            except ZeroDivisionError as error:
                raise ExceptionGroup('several', [error])
        case 'import': import broken
        case 'loaded': import lonely
        case 'print':
            try:
                helper.fails()
            except ZeroDivisionError:
                traceback.print_exc()
        case 'log':
            try:
                helper.fails()
            except ZeroDivisionError:
                logging.exception('logged')
        case 'warn': warnings.warn('careful')
    return Response(__file__)
";
    let app = App::with(WorkerMode::Persistent, true, |sources| {
        let write = |name: &str, text: &str| {
            fs::write(sources.join(name), text).expect("it can be written");
        };
        write("entry.py", entry);
        write("helper.py", "def fails():\n    return 1 / 0\n");
        // Compilation in advance does not find this error.
        write(
            "lonely.wasm",
            "\0asm\x01\0\0\0\0\x0f\x08dylink.0\x01\x04\0\0\0\0",
        );
    });
    let in_helper = "File \"src/helper.py\", line 2, in fails\n";
    let in_entry = "File \"src/entry.py\", line ";
    for (path, parts) in [
        ("/raise", &[in_helper, in_entry, "    return 1 / 0\n"][..]),
        ("/group", &[in_helper, in_entry, "  | "]),
        ("/loaded", &["ImportError: ", "`src/lonely.wasm`"]),
    ] {
        let answer = app.get(path);
        assert_eq!(answer.status, 500, "{path}");
        for part in parts {
            assert!(
                answer.text().contains(part),
                "{path}: {part}\n{}",
                answer.text()
            );
            assert!(
                app.log().contains(part.trim_end()),
                "{path}: {part}\n{}",
                app.log()
            );
        }
    }
    for path in ["/print", "/log", "/warn"] {
        // The program itself sees the guest's path.
        assert_eq!(app.get(path).text(), "/app/entry.py", "{}", app.log());
    }
    let log = app.log();
    assert!(
        log.contains("src/entry.py:") && log.contains("UserWarning: careful"),
        "{log}"
    );
    assert_eq!(log.matches(in_helper.trim_end()).count(), 5, "{log}");
    assert!(!log.contains("/app/"), "{log}");
}
