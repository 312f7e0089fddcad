//! `pymode build` and `pymode dev`, with the examples and with invalid projects, in a real workerd over HTTP.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pymode_tests::Pymode;
use tempfile::TempDir;

fn pymode() -> Pymode {
    Pymode::find().unwrap_or_else(|error| panic!("{error}"))
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name)
}

/// A running `pymode dev`, which ends with this value.
struct Dev {
    child: Child,
    address: String,
}

impl Dev {
    fn serve(dir: &Path) -> Dev {
        let mut child = pymode()
            .command()
            .arg("dev")
            .arg(dir)
            .args(["--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let stdout = child.stdout.take().expect("stdout was asked to be a pipe");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("the command says where it listens");
        let address = line.trim().strip_prefix("http://");
        let address = address.unwrap_or_else(|| panic!("no address: {line:?}"));
        Dev {
            child,
            address: address.to_owned(),
        }
    }

    fn get(&self, path: &str) -> String {
        self.send("GET", path, "")
    }

    /// The whole answer, head and body.
    fn send(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream
            .write_all(request.as_bytes())
            .expect("it can be asked");
        let mut answer = Vec::new();
        // A workerd that is replaced may reset its connections: the data received so far is the answer.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Repeats a request until the answer contains `text`.
    fn until(&self, text: &str) -> String {
        let start = Instant::now();
        loop {
            let answer = self.get("/");
            if answer.contains(text) {
                return answer;
            }
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "no answer holds {text:?}; the last one is\n{answer}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // Like Ctrl-C, so that its workerd ends, too.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.child.wait();
    }
}

#[test]
fn example_hello() {
    let dev = Dev::serve(&example("hello"));
    for (path, name) in [
        ("/Ada", "Ada"),
        ("/J%C3%BCrgen?x=1", "Jürgen"),
        ("/", "world"),
        ("/?x=/Eve", "world"),
        ("/a/Grace%20Hopper", "Grace Hopper"),
        ("/a%2Fb", "a/b"),
    ] {
        let answer = dev.get(path);
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains(&format!("Hello, {name}!\n")),
            "{path}: {answer}"
        );
    }
}

/// With the names of Cloudflare's own SDK.
#[test]
fn example_page() {
    let dev = Dev::serve(&example("page"));
    let answer = dev.get("/");
    assert!(answer.contains("Nobody was here yet."), "{answer}");
    let answer = dev.send("POST", "/", "<script>");
    assert!(answer.contains("<li>&lt;script&gt;</li>"), "{answer}");
    assert!(
        answer.contains("escaped by markupsafe._speedups"),
        "{answer}"
    );
    assert!(answer.contains("Content-Type: text/html"), "{answer}");
    // The interpreter stays.
    assert!(dev.get("/").contains("&lt;script&gt;"));
}

#[test]
fn example_api() {
    let dev = Dev::serve(&example("api"));
    let answer = dev.get("/");
    assert!(
        answer.starts_with("HTTP/1.1 405") && answer.contains("\"speedups\": true"),
        "{answer}"
    );
    let answer = dev.send("POST", "/", "[0.1, 0.2]");
    assert!(
        answer.contains(r#"{"count": 2, "sum": 0.3, "mean": 0.15}"#),
        "{answer}"
    );
    let answer = dev.send("POST", "/", "[0.1,");
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("error"),
        "{answer}"
    );
}

/// A project in a temporary folder.
fn project(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("there is room");
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it can be created");
        fs::write(path, text).expect("it can be written");
    }
    dir
}

const ENTRY: &str = "from pymode.workers import Response\n\ndef on_fetch(request, env):\n    return Response.html('<p>one')\n";

/// simplejson's C encoder calls Python for unknown types. That code waits for a server, and the C frames wait with it.
#[test]
fn python_below_c_waits_for_a_server() {
    let server = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = server.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            std::thread::spawn(move || {
                let mut line = String::new();
                let mut reader = BufReader::new(stream.try_clone()?);
                reader.read_line(&mut line)?;
                let number: u64 = line
                    .split(['/', ' '])
                    .nth(2)
                    .map_or(0, |n| n.parse().unwrap_or(0));
                std::thread::sleep(Duration::from_millis(number * 7919 % 40));
                let text = (number * number).to_string();
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}",
                    text.len()
                )
            });
        }
    });
    let entry = "
import simplejson
from simplejson import encoder
from pymode.http import fetch
from pymode.workers import Response

class Square:
    def __init__(self, number):
        self.number = number

def on_fetch(request, env):
    url, number = request.url.split('=', 1)[1].rsplit('/', 1)

    def default(square):
        return int(fetch(f'{url}/{square.number}').text())

    assert encoder.c_make_encoder is not None
    squares = [{'square': Square(int(number) + n)} for n in range(3)]
    return Response(simplejson.dumps(squares, default=default))
";
    for mode in ["request", "persistent"] {
        let manifest = format!(
            "[project]\nname = 'squares'\nversion = '1'\ndependencies = ['simplejson==4.3.0']\n[tool.pymode]\nmode = '{mode}'\n"
        );
        let dir = project(&[("pyproject.toml", &manifest), ("src/entry.py", entry)]);
        let dev = Dev::serve(dir.path());
        std::thread::scope(|scope| {
            for number in 0..50u64 {
                let dev = &dev;
                scope.spawn(move || {
                    let answer = dev.get(&format!("/?url=http://{address}/{number}"));
                    let square = |n: u64| format!("{{\"square\": {}}}", n * n);
                    let [a, b, c] = [0, 1, 2].map(|n| square(number + n));
                    assert!(
                        answer.contains(&format!("[{a}, {b}, {c}]")),
                        "{mode} {answer}"
                    );
                });
            }
        });
    }
}

#[test]
fn what_is_served_follows_the_project() {
    let dir = project(&[
        ("pyproject.toml", "[project]\nname = 'x'\n"),
        ("src/entry.py", ENTRY),
    ]);
    let entry = dir.path().join("src/entry.py");
    let dev = Dev::serve(dir.path());
    dev.until("<p>one");
    fs::write(&entry, ENTRY.replace("one", "two")).expect("it can be written");
    let answer = dev.until("<p>two");
    assert!(!answer.contains("x-pymode-error"), "{answer}");

    // An error is reported, and the last version stays served.
    fs::write(&entry, "def broken(:\n").expect("it can be written");
    let answer = dev.until("SyntaxError");
    assert!(
        answer.contains("<p>two") && answer.contains("x-pymode-error: error: `src/entry.py`"),
        "{answer}"
    );
    fs::write(dir.path().join("pyproject.toml"), "[project").expect("it can be written");
    let answer = dev.until("TOML parse error");
    assert!(answer.contains("<p>two"), "{answer}");

    fs::write(dir.path().join("pyproject.toml"), "[project]\nname = 'x'\n")
        .expect("it can be written");
    // An error at run time is shown as a traceback.
    fs::write(&entry, ENTRY.replace("return", "return nothing")).expect("it can be written");
    dev.until("SyntaxError");
    fs::write(&entry, ENTRY.replace("return", "nothing;")).expect("it can be written");
    let answer = dev.until("NameError");
    assert!(
        answer.starts_with("HTTP/1.1 500") && answer.contains("src/entry.py\", line 4"),
        "{answer}"
    );
    fs::write(&entry, ENTRY.replace("one", "three")).expect("it can be written");
    dev.until("<p>three");
}

#[test]
fn a_file_that_is_no_part_of_the_project_changes_nothing() {
    let counting = "from pymode.workers import Response\ncount = 0\ndef on_fetch(request, env):\n    global count\n    count += 1\n    return Response(f'call {count}.')\n";
    let dir = project(&[
        ("pyproject.toml", "[project]\nname = 'x'\n"),
        ("src/entry.py", counting),
    ]);
    let dev = Dev::serve(dir.path());
    dev.until("call 1.");
    // Long enough for the events that a change of a module would cause.
    for line in ["ready\n", "ready\nready\n"] {
        fs::write(dir.path().join("dev.log"), line).expect("it can be written");
        std::thread::sleep(Duration::from_secs(1));
    }
    let answer = dev.get("/");
    assert!(answer.contains("call 2."), "{answer}");
}

#[test]
fn a_project_that_is_broken_from_the_start_is_served_when_it_is_mended() {
    let dir = project(&[("pyproject.toml", "[project]\nname = 'x'\n")]);
    let dev = Dev::serve(dir.path());
    let answer = dev.until("has no module `entry`");
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    fs::create_dir(dir.path().join("src")).expect("it is new");
    fs::write(dir.path().join("src/entry.py"), ENTRY).expect("it can be written");
    dev.until("<p>one");
}

/// Builds into `dist`. Returns stderr if the build fails.
fn build(dir: &Path) -> Result<(), String> {
    let output = pymode().command().arg("build").arg(dir).output();
    let output = output.expect("the command starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0) => Ok(()),
        Some(1) => Err(said),
        code => panic!("{code:?}: {said}"),
    }
}

#[test]
fn a_build_is_a_folder_that_holds_all_that_its_entry_imports() {
    let dir = project(&[
        (
            "pyproject.toml",
            "[project]\nname = 'My App'\n[tool.pymode]\nwithout = ['sqlite3']\n[tool.pymode.wrangler.vars]\nA = '1'\n",
        ),
        ("src/entry.py", ENTRY),
    ]);
    build(dir.path()).unwrap_or_else(|said| panic!("{said}"));
    let dist = dir.path().join("dist");
    let entry = fs::read_to_string(dist.join("entry.js")).expect("there is an entry");
    let names: Vec<&str> = entry
        .split('"')
        .filter_map(|part| part.strip_prefix("./"))
        .filter(|name| name.contains('.') && *name != "host_bg.js")
        .collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(dist.join(name).is_file(), "{name}");
    }
    let config = fs::read_to_string(dist.join("wrangler.jsonc")).expect("there is one");
    for part in [
        "\"name\": \"my-app\"",
        "\"no_bundle\": true",
        "new_sqlite_classes",
        "CompiledWasm",
        "\"A\": \"1\"",
    ] {
        assert!(config.contains(part), "{part}: {config}");
    }
    // Again, over the existing folder.
    build(dir.path()).unwrap_or_else(|said| panic!("{said}"));
}

#[test]
fn what_sync_built_is_not_built_again_for_the_worker() {
    let dir = project(&[
        (
            "pyproject.toml",
            "[project]\nname = 'x'\nversion = '1'\ndependencies = ['simplejson==4.3.0']\n",
        ),
        ("src/entry.py", ENTRY),
    ]);
    // The form without docstrings, which a Worker uses, must not cause another build of the wheel.
    for verb in ["lock", "sync", "build"] {
        let output = pymode().command().arg(verb).current_dir(&dir).output();
        let output = output.expect("the command starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{verb}: {said}");
        assert!(
            verb != "build" || !said.contains("building simplejson"),
            "{said}"
        );
    }
}

#[test]
fn a_side_module_that_cannot_be_loaded_is_reported_by_the_build() {
    // (module (@dylink.0 (mem-info)) (import "env" "nowhere" (func)))
    let lonely = "\0asm\x01\0\0\0\0\x0f\x08dylink.0\x01\x04\0\0\0\0\x01\x04\x01`\0\0\x02\x0f\x01\x03env\x07nowhere\0\0";
    let dir = project(&[
        ("pyproject.toml", "[project]\nname = 'x'\n"),
        ("src/entry.py", ENTRY),
        ("src/lonely.wasm", lonely),
    ]);
    let output = pymode().command().arg("build").arg(dir.path()).output();
    let output = output.expect("the command starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("warning: cannot load `src/lonely.wasm`: it does not name the version"),
        "{said}"
    );
}

#[test]
fn a_folder_that_is_not_there_is_no_project() {
    for verb in ["build", "dev"] {
        let output = pymode().command().args([verb, "nosuch"]).output();
        let output = output.expect("the command starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.starts_with("error: no such project: `nosuch` is not a directory\n  hint: "),
            "{verb}: {stderr}"
        );
    }
}

#[test]
fn errors_of_a_project_are_reported() {
    let named = ("pyproject.toml", "[project]\nname = 'x'\n");
    let with = |settings: &str| format!("[project]\nname = 'x'\n{settings}");
    let cases: [(&[(&str, &str)], &str); 8] = [
        (&[("src/entry.py", ENTRY)], "has no pyproject.toml"),
        (&[named], "has no module `entry`"),
        (
            &[named, ("src/entry.py", "x = 1\n")],
            "`src/entry.py` defines no handler\n  hint: ",
        ),
        (&[named, ("src/entry.py", "x = = 1\n")], "SyntaxError"),
        (
            &[
                ("pyproject.toml", &with("[tool.pymode]\nentri = 'x'\n")),
                ("src/entry.py", ENTRY),
            ],
            "unknown field `entri`",
        ),
        (
            &[
                (
                    "pyproject.toml",
                    &with("[tool.pymode]\nwithout = ['jsno']\n"),
                ),
                ("src/entry.py", ENTRY),
            ],
            "no module `jsno`",
        ),
        (
            &[
                (
                    "pyproject.toml",
                    &with("dependencies = ['markupsafe==99']\n"),
                ),
                ("src/entry.py", ENTRY),
            ],
            "markupsafe==99",
        ),
        (
            &[named, ("src/entry.py", ENTRY), ("dist/mine.txt", "x")],
            "was not made by `pymode build`",
        ),
    ];
    for (files, said) in cases {
        let dir = project(files);
        let error = build(dir.path()).expect_err(said);
        assert!(error.contains(said), "{said}: {error}");
    }
}

/// Incompressible bytes.
#[test]
fn a_bundle_that_is_too_large_is_refused() {
    let dir = project(&[
        ("pyproject.toml", "[project]\nname = 'x'\n"),
        ("src/entry.py", ENTRY),
    ]);
    let mut state = 1u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
    .take(10 << 20)
    .collect();
    fs::write(dir.path().join("src/noise.bin"), noise).expect("it can be written");
    let error = build(dir.path()).expect_err("it is too large");
    assert!(
        error.contains("the largest part is `your modules` with 10.0"),
        "{error}"
    );
    assert!(!dir.path().join("dist").exists());
}
