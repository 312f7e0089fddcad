//! A persistent interpreter.

use std::io::Write;
use std::net::TcpStream;
use std::thread;

use pymode_workerd::WorkerMode;

use crate::app::App;

const COUNTER: &str = "
import os, time
from pymode.workers import Response

count = 0

def on_fetch(request, env):
    global count
    count += 1
    what = request.url.rsplit('/', 1)[1]
    match what:
        case 'raise': raise ValueError('bad')
        case 'exit': raise SystemExit(3)
        case '_exit': os._exit(3)
        case 'abort': os.abort()
        case 'middle': return Response(pieces())
        case 'read': return Response(f'{count} {len(request.bytes())}')
        case 'memory': return Response(str(len(bytearray(200 << 20))))
        case 'recursion': return Response(str(deep(0)))
        case 'nested': return Response(repr(nested()))
        case 'files': return Response(' '.join(outside()))
    if what.startswith('sleep'):
        time.sleep(int(what[5:]) / 1000)
        return Response(what)
    return Response(str(count))

def pieces():
    yield 'x'
    raise ValueError('too late')

def deep(n):
    return deep(n + 1) + 1

def nested():
    # Recursion in C.
    inner = []
    for _ in range(100_000):
        inner = [inner]
    return inner

def outside():
    up = '../' * 9
    for path in [up + 'etc/passwd', '/etc/passwd', '/app/' + up + 'proc/self/environ', '/tmp/../../root', '//etc//passwd', '/app/entry.py']:
        try:
            open(path).close()
            yield path
        except FileNotFoundError:
            pass
    for path in ['/app/new', '/lib/python3.13/os.py', '/new', up + 'new']:
        try:
            open(path, 'w').close()
            yield path
        except OSError:
            pass
";

fn counter() -> App {
    App::serve(WorkerMode::Persistent, true, &[("entry.py", COUNTER)])
}

#[test]
fn state_survives_from_request_to_request() {
    let app = counter();
    for count in ["1", "2", "3"] {
        assert_eq!(app.get("/").text(), count, "{}", app.log());
    }
}

#[test]
fn an_exception_ends_its_request_and_the_state_stays() {
    let app = counter();
    assert_eq!(app.get("/").text(), "1", "{}", app.log());
    for (path, message) in [("/raise", "ValueError: bad"), ("/exit", "SystemExit: 3")] {
        let answer = app.get(path);
        assert_eq!(answer.status, 500);
        assert!(answer.text().contains(message), "{}", answer.text());
    }
    assert!(app.get("/middle").body.is_err(), "it looks complete");
    assert_eq!(app.get("/").text(), "5", "{}", app.log());
}

#[test]
fn a_fault_ends_the_interpreter_and_the_next_request_gets_a_new_one() {
    let app = counter();
    for path in ["/_exit", "/abort"] {
        assert_eq!(app.get("/").text(), "1", "{}", app.log());
        assert_eq!(app.get("/").text(), "2");
        assert_eq!(app.get(path).status, 500);
    }
    assert_eq!(app.get("/").text(), "1", "{}", app.log());
}

/// Python handles these errors itself, and its state survives.
#[test]
fn too_much_memory_and_too_deep_recursion_end_their_request_only() {
    let app = counter();
    for (path, message) in [
        ("/memory", "MemoryError"),
        ("/recursion", "RecursionError"),
        ("/nested", "RecursionError"),
    ] {
        let answer = app.get(path);
        assert_eq!(answer.status, 500, "{path}");
        assert!(answer.text().contains(message), "{path}: {}", answer.text());
    }
    assert_eq!(app.get("/").text(), "4", "{}", app.log());
}

#[test]
fn no_path_leads_out_of_what_is_there() {
    let app = counter();
    assert_eq!(app.get("/files").text(), "/app/entry.py", "{}", app.log());
}

#[test]
fn a_body_that_nobody_reads_or_that_is_cut_off_does_not_reach_the_next_request() {
    let app = counter();
    let large = vec![b'x'; 3_000_000];
    assert_eq!(
        app.send("POST", "/", &[], &large).text(),
        "1",
        "{}",
        app.log()
    );
    assert_eq!(app.send("POST", "/read", &[], b"abc").text(), "2 3");
    for path in ["/", "/read"] {
        let mut stream = TcpStream::connect(app.address()).expect("it listens");
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this");
        stream.write_all(request.as_bytes()).expect("it reads");
        thread::sleep(std::time::Duration::from_millis(100));
        drop(stream);
        thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(
        app.send("POST", "/read", &[], b"abcd").text(),
        "5 4",
        "{}",
        app.log()
    );
}

/// Concurrent requests with delays of their own get their own answers.
#[test]
fn fifty_requests_at_once_get_their_own_answers() {
    let app = counter();
    assert_eq!(app.get("/").text(), "1", "{}", app.log());
    thread::scope(|scope| {
        for number in 0..50u64 {
            let app = &app;
            scope.spawn(move || {
                let what = format!("sleep{}", number * 7919 % 50);
                assert_eq!(app.get(&format!("/{what}")).text(), what, "{}", app.log());
            });
        }
    });
    assert_eq!(app.get("/").text(), "52");
}
