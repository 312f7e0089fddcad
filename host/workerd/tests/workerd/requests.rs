//! Requests to Python in a Durable Object, in a real workerd.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::app::App;
use pymode_workerd::WorkerMode;

const HELLO: &str = "
from pymode.workers import Response

def on_fetch(request, env):
    return Response(f'{request.method} {request.url.split(\"/\", 3)[3]}')
";

#[test]
fn a_handler_answers() {
    let app = App::serve(WorkerMode::Request, true, &[("entry.py", HELLO)]);
    let answer = app.send("PUT", "/a?b=c", &[], b"");
    assert_eq!(
        (answer.status, answer.text()),
        (200, "PUT a?b=c"),
        "{}",
        app.log()
    );
    assert_eq!(answer.header("content-type"), ["text/plain;charset=UTF-8"]);
}

#[test]
fn headers_may_repeat_both_ways() {
    let entry = "
from pymode.workers import Response

def on_fetch(request, env):
    headers = [('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=2'), ('X-Seen', request.headers['X-ASKED'])]
    return Response(None, 201, headers)
";
    let app = App::serve(WorkerMode::Request, true, &[("entry.py", entry)]);
    let answer = app.send("GET", "/", &[("x-asked", "one"), ("x-asked", "two")], b"");
    assert_eq!(answer.status, 201, "{}", app.log());
    assert_eq!(answer.header("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(answer.header("x-seen"), ["one, two"]);
}

#[test]
fn bodies_are_bytes_and_may_be_large() {
    let entry = "
from pymode.workers import Response

def on_fetch(request, env):
    return Response(piece[::-1] for piece in [request.bytes()])
";
    let app = App::serve(WorkerMode::Request, true, &[("entry.py", entry)]);
    let body: Vec<u8> = (0..5_000_000u32)
        .map(|n| (n.wrapping_mul(7919) >> 8) as u8)
        .collect();
    let answer = app.send("POST", "/", &[], &body);
    assert_eq!(answer.status, 200, "{}", app.log());
    let reversed: Vec<u8> = body.into_iter().rev().collect();
    assert!(answer.body == Ok(reversed), "the body came back changed");
}

#[test]
fn an_answer_is_sent_while_it_is_made() {
    let entry = "
import time
from pymode.workers import Response

def pieces():
    yield 'first'
    time.sleep(3)
    yield 'second'

def on_fetch(request, env):
    return Response(pieces())
";
    let app = App::serve(WorkerMode::Request, true, &[("entry.py", entry)]);
    app.get("/"); // From here on everything is compiled.
    let mut stream = TcpStream::connect(app.address()).expect("it listens");
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .expect("it reads");
    let since = std::time::Instant::now();
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while !seen.windows(5).any(|bytes| bytes == b"first") {
        let count = stream.read(&mut buffer).expect("it answers");
        assert_ne!(count, 0, "it ended early");
        seen.extend_from_slice(&buffer[..count]);
    }
    let first = since.elapsed();
    stream.read_to_end(&mut seen).expect("it answers");
    assert!(seen.windows(6).any(|bytes| bytes == b"second"));
    let gap = since.elapsed() - first;
    assert!(
        gap.as_secs_f64() > 2.0,
        "the second piece came {gap:?} after the first"
    );
}

#[test]
fn more_than_memory_holds_can_be_answered() {
    let entry = "
from pymode.workers import Response

def on_fetch(request, env):
    return Response(bytes(1 << 20) for _ in range(300))
";
    let app = App::serve(WorkerMode::Request, true, &[("entry.py", entry)]);
    let answer = app.get("/");
    assert_eq!(
        answer.body.map(|body| body.len()),
        Ok(300 << 20),
        "{}",
        app.log()
    );
}

#[test]
fn an_exception_is_logged_and_shown_only_in_development() {
    let entry = "
def on_fetch(request, env):
    return 1 / 0
";
    for development in [true, false] {
        let app = App::serve(WorkerMode::Request, development, &[("entry.py", entry)]);
        let answer = app.get("/");
        assert_eq!(answer.status, 500);
        let line = "File \"src/entry.py\", line 3, in on_fetch";
        assert!(app.log().contains(line), "{}", app.log());
        assert_eq!(
            answer.text().contains(line),
            development,
            "{}",
            answer.text()
        );
    }
}

#[test]
fn an_exception_in_the_middle_cuts_the_answer_off() {
    let entry = "
from pymode.workers import Response

def pieces():
    yield 'x' * 100000
    raise ValueError('too late')

def on_fetch(request, env):
    return Response(pieces())
";
    let app = App::serve(WorkerMode::Request, true, &[("entry.py", entry)]);
    let answer = app.get("/");
    assert!(answer.body.is_err(), "it looks complete");
    assert!(app.log().contains("ValueError: too late"), "{}", app.log());
}

#[test]
fn the_names_of_cloudflares_sdk_work() {
    let entry = "
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        data = await request.json()
        return Response.json({'twice': data['n'] * 2, 'method': request.method})
";
    let app = App::serve(WorkerMode::Request, true, &[("entry.py", entry)]);
    let answer = app.send("POST", "/", &[], b"{\"n\": 21}");
    assert_eq!(
        answer.text(),
        "{\"twice\": 42, \"method\": \"POST\"}",
        "{}",
        app.log()
    );
    assert_eq!(answer.header("content-type"), ["application/json"]);
}

/// Each error ends its own request; the next one is answered.
#[test]
fn faults_end_their_request_and_nothing_else() {
    let entry = "
import os, sys
from pymode.workers import Response

def deep(n):
    return deep(n + 1) + 1

def on_fetch(request, env):
    what = request.url.rsplit('/', 1)[1]
    match what:
        case 'exit': sys.exit(3)
        case '_exit': os._exit(3)
        case 'abort': os.abort()
        case 'memory': bytearray(200 << 20)
        case 'recursion': deep(0)
        case 'nothing': return None
        case 'header': return Response('', headers={'a\\nb': 'c'})
        case 'status': return Response('', status=99)
    return Response('fine')
";
    let app = App::serve(WorkerMode::Request, true, &[("entry.py", entry)]);
    for (path, message) in [
        ("exit", "SystemExit: 3"),
        ("_exit", "exited with code 3"),
        ("abort", "fault"),
        ("memory", "MemoryError"),
        ("recursion", "RecursionError"),
        ("nothing", "returned NoneType"),
        ("header", "header"),
        ("status", "status"),
    ] {
        let answer = app.get(&format!("/{path}"));
        assert_eq!(answer.status, 500, "{path}");
        assert!(answer.text().contains(message), "{path}: {}", answer.text());
        assert_eq!(app.get("/").text(), "fine", "after {path}");
    }
}

#[test]
fn a_body_that_is_cut_off_is_an_error_and_the_next_request_is_served() {
    let entry = "
from pymode.workers import Response

def on_fetch(request, env):
    return Response(str(len(request.bytes())))
";
    let app = App::serve(WorkerMode::Request, true, &[("entry.py", entry)]);
    assert_eq!(app.get("/").text(), "0");
    let mut stream = TcpStream::connect(app.address()).expect("it listens");
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this")
        .expect("it reads");
    drop(stream);
    assert_eq!(app.send("POST", "/", &[], b"abc").text(), "3");
}

/// This includes an interpreter that was prepared in advance.
#[test]
fn each_request_gets_an_interpreter_that_has_seen_no_other() {
    let entry = "
import os
from pymode.workers import Response

token = os.urandom(16).hex()
count = 0

def on_fetch(request, env):
    global count
    count += 1
    return Response(f'{count} {token}')
";
    let app = App::serve(WorkerMode::Request, true, &[("entry.py", entry)]);
    let ask = || app.get("/").text().to_owned();
    let mut tokens: Vec<String> = (0..6).map(|_| ask()).collect();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..12).map(|_| scope.spawn(ask)).collect();
        tokens.extend(all.into_iter().map(|one| one.join().expect("it answers")));
    });
    tokens.extend((0..3).map(|_| ask()));
    assert!(
        tokens.iter().all(|token| token.starts_with("1 ")),
        "{tokens:?}"
    );
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 21, "{}", app.log());
}

/// Only the handler's response is the answer: what else writes to file 1 goes to the log, and file 0 is empty.
#[test]
fn standard_streams_are_apart_from_request_and_answer() {
    let entry = r#"
import os, sys
from pymode.workers import Response

os.write(1, b'from the import\n')

def on_fetch(request, env):
    os.write(1, b'from write\n')
    sys.__stdout__.write('from __stdout__\n')
    sys.__stdout__.flush()
    print('from print')
    copy = os.dup(1)
    os.write(copy, b'from a copy\n')
    os.close(copy)
    os.closerange(3, 100)
    try:
        input()
    except EOFError:
        pass
    os.close(1)
    os.close(0)
    return Response(pieces(request))

def pieces(request):
    yield os.read(os.open('/dev/null', os.O_RDONLY), 9) or b'empty '
    yield request.bytes()
"#;
    for mode in [WorkerMode::Request, WorkerMode::Persistent] {
        let app = App::serve(mode, true, &[("entry.py", entry)]);
        let answer = app.send("POST", "/", &[], b"the body");
        assert_eq!(
            (answer.status, answer.text()),
            (200, "empty the body"),
            "{}",
            app.log()
        );
        for line in ["the import", "write", "__stdout__", "print", "a copy"] {
            let line = format!("from {line}");
            assert!(app.log().contains(&line), "{line}: {}", app.log());
        }
    }
}

/// A thread that was started at module level runs during requests and between them, and a handler may start others.
#[test]
fn threads_run_during_requests_and_between_them() {
    let entry = r#"
import asyncio, os, threading, time
from concurrent.futures import ThreadPoolExecutor
from pymode.workers import Response

pool = ThreadPoolExecutor(4)
ticks = 0

def tick():
    global ticks
    while True:
        ticks += 1
        time.sleep(0.01)

threading.Thread(target=tick, daemon=True).start()

async def on_fetch(request, env):
    if request.url.endswith('/overlap'):
        await asyncio.gather(*[asyncio.to_thread(time.sleep, 0.05) for _ in range(5)])
        return Response('overlapped')
    if request.url.endswith('/pool'):
        return Response(str(sum(pool.map(lambda x: x * x, range(100)))))
    if request.url.endswith('/end-later'):
        threading.Timer(0.05, os._exit, [3]).start()
        return Response('it will end')
    return Response(str(ticks))
"#;
    let app = App::serve(WorkerMode::Persistent, true, &[("entry.py", entry)]);
    let text = |path: &str| {
        let answer = app.send("GET", path, &[], b"");
        assert_eq!(answer.status, 200, "{path}: {}", app.log());
        answer.text().to_owned()
    };
    let count = |text: String| text.parse::<u64>().expect("a number");
    let before = count(text("/"));
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(count(text("/")) > before + 2, "{}", app.log());
    for _ in 0..3 {
        assert_eq!(text("/overlap"), "overlapped");
        assert_eq!(text("/pool"), "328350");
    }
    // A thread ends the interpreter when nobody waits for it: the next request gets another one.
    let before = count(text("/"));
    assert_eq!(text("/end-later"), "it will end");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(count(text("/")) < before, "{}", app.log());
}
