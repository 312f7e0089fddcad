//! HTTP semantics: methods, statuses, headers, bodies, and clients that disconnect.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use pymode_workerd::WorkerMode;

use crate::app::App;

/// Methods that workerd accepts.
const METHODS: [&str; 22] = [
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "PURGE",
    "COPY",
    "LOCK",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "SEARCH",
    "UNLOCK",
    "REPORT",
    "MERGE",
    "NOTIFY",
    "SUBSCRIBE",
    "QUERY",
    "BAN",
];
/// Methods in CPython's `http.HTTPMethod`.
const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"];

#[test]
fn a_method_arrives_as_it_was_sent() {
    let entry = "
from pymode.workers import Response

def on_fetch(request, env):
    return Response(f'{request.method} {type(request.method).__name__}')
";
    let sdk = "
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(f'{request.method} {type(request.method).__name__}')
";
    for (entry, known) in [(entry, "str"), (sdk, "HTTPMethod")] {
        let app = App::serve(WorkerMode::Persistent, true, &[("entry.py", entry)]);
        for method in METHODS {
            let kind = if KNOWN.contains(&method) {
                known
            } else {
                "str"
            };
            let (head, body) = app.raw(&format!("{method} / HTTP/1.1\r\n"));
            assert_eq!(body, format!("{method} {kind}"), "{head}\n{}", app.log());
        }
    }
}

/// Answers with the value of the expression in the query.
const EVALUATES: &str = "
import http
from urllib.parse import unquote
from pymode.workers import Headers, Response

class Rows:
    def __iter__(self):
        return iter(['a', b'b'])

def pieces(*given):
    yield from given

async def later():
    yield b'x'

def on_fetch(request, env):
    return eval(unquote(request.url.partition('?')[2]))
";

fn evaluates() -> App {
    App::serve(WorkerMode::Persistent, true, &[("entry.py", EVALUATES)])
}

/// An expression as a query.
fn query(expression: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    format!("/?{}", expression.bytes().map(escape).collect::<String>())
}

#[test]
fn a_response_that_cannot_be_is_an_error_that_names_the_way_out() {
    let app = evaluates();
    for (expression, message) in [
        (
            "Response({'a': 1})",
            "TypeError: the body of a Response cannot be a dict\n  hint: `Response.json(data)`",
        ),
        (
            "Response([1, 2])",
            "TypeError: the body of a Response cannot be a list\n  hint: `Response.json(data)`",
        ),
        ("Response(('a', 'b'))", "cannot be a tuple"),
        ("Response({'a'})", "cannot be a set"),
        (
            "Response(7)",
            "TypeError: the body of a Response cannot be an int\n  hint: convert it with `str`",
        ),
        ("Response(1.5)", "cannot be a float"),
        ("Response(False)", "cannot be a bool"),
        ("Response(object())", "cannot be an object"),
        (
            "Response(later())",
            "cannot be an async_generator\n  hint: collect its pieces",
        ),
        ("Response(later)", "cannot be a function"),
        (
            "Response(range(3))",
            "TypeError: a piece of a body must be str or bytes, not int",
        ),
        (
            "Response(pieces({}))",
            "a piece of a body must be str or bytes, not dict",
        ),
        ("Response.html(5)", "cannot be an int"),
        (
            "{'a': 1}",
            "TypeError: a handler returns a Response; this one returned dict\n  hint: `Response.json(data)`",
        ),
        ("None", "returned NoneType"),
        (
            "Response('', '200')",
            "TypeError: the status of a Response must be int, not str",
        ),
        ("Response('', None)", "must be int, not NoneType"),
        ("Response('', True)", "must be int, not bool"),
        ("Response('', 199)", "ValueError: invalid status 199"),
        ("Response('', 101)", "invalid status 101"),
        ("Response('', 600)", "invalid status 600"),
        ("Response('', -1)", "invalid status -1"),
        (
            "Response('', 2**70)",
            "invalid status 1180591620717411303424",
        ),
        (
            "Response('x', 204)",
            "ValueError: a Response with status 204 has no body\n  hint: ",
        ),
        ("Response(b'x', 304)", "status 304 has no body"),
        ("Response(pieces(b'', b'x'), 205)", "status 205 has no body"),
        (
            "Response('', headers={'a b': 'x'})",
            "ValueError: invalid header name 'a b'",
        ),
        ("Response('', headers={'': 'x'})", "invalid header name ''"),
        (
            "Response('', headers={'a\\nb': 'x'})",
            "invalid header name 'a\\nb'",
        ),
        (
            "Response('', headers={'ä': 'x'})",
            "invalid header name 'ä'",
        ),
        (
            "Response('', headers={5: 'x'})",
            "TypeError: the name of a header must be str, not int",
        ),
        (
            "Response('', headers={'x': None})",
            "TypeError: the value of header `x` must be str, not NoneType",
        ),
        (
            "Response('', headers={'x': ['a', 'b']})",
            "must be str, not list\n  hint: give each value a pair of its own",
        ),
        (
            "Response('', headers={'x': b'a'})",
            "must be str, not bytes\n  hint: decode it",
        ),
        ("Response('', headers={'x': True})", "must be str, not bool"),
        (
            "Response('', headers={'x': 'a\\r\\nset-cookie: b'})",
            "ValueError: invalid value of header `x`",
        ),
        (
            "Response('', headers={'x': 'a\\0b'})",
            "invalid value of header `x`",
        ),
        (
            "Response('', headers='x')",
            "TypeError: headers must be a mapping, or pairs of a name and a value",
        ),
        ("Response('', headers=5)", "headers must be a mapping"),
    ] {
        let answer = app.get(&query(expression));
        assert_eq!(answer.status, 500, "{expression}");
        assert!(
            answer.text().contains(message),
            "{expression}\n{}",
            answer.text()
        );
    }
    assert_eq!(app.get(&query("Response('fine')")).text(), "fine");
}

#[test]
fn a_response_that_can_be_arrives_as_it_is() {
    let app = evaluates();
    for (expression, status, body) in [
        ("Response(None)", 200, ""),
        ("Response('')", 200, ""),
        ("Response(b'')", 200, ""),
        ("Response(pieces())", 200, ""),
        ("Response(pieces('', b'', ''))", 200, ""),
        (
            "Response(pieces('ä', b'', bytearray(b'b'), memoryview(b'c')))",
            200,
            "äbc",
        ),
        ("Response(Rows())", 200, "ab"),
        ("Response(iter(['a', 'b']))", 200, "ab"),
        ("Response('x', http.HTTPStatus.NOT_FOUND)", 404, "x"),
        ("Response('x', 599)", 599, "x"),
        ("Response('', 204)", 204, ""),
        ("Response(None, 304)", 304, ""),
        ("Response(pieces(b''), 205)", 205, ""),
        ("'text'", 200, "text"),
        ("b'bytes'", 200, "bytes"),
    ] {
        let answer = app.get(&query(expression));
        let text = answer.body.as_deref().map(String::from_utf8_lossy);
        assert_eq!(
            (answer.status, text.as_deref()),
            (status, Ok(body)),
            "{expression}\n{}",
            app.log()
        );
    }
}

#[test]
fn headers_arrive_as_they_are() {
    let app = evaluates();
    let answer = app.get(&query(
        "Response('', headers=[('X-Number', 5), ('x-real', 0.5), ('x-text', '  a, b '), ('x-empty', ''), ('x-two', 'a'), ('X-Two', 'b')])",
    ));
    assert_eq!(answer.status, 200, "{}", app.log());
    for (name, values) in [
        ("x-number", &["5"][..]),
        ("x-real", &["0.5"]),
        ("x-text", &["a, b"]),
        ("x-empty", &[""]),
        ("x-two", &["a", "b"]),
    ] {
        assert_eq!(answer.header(name), values, "{name}");
    }
    let answer = app.get(&query(
        "Response('x', headers=Headers({'content-type': 'text/x', 'etag': '\"1\"'}))",
    ));
    assert_eq!(answer.header("content-type"), ["text/x"]);
    assert_eq!(answer.header("etag"), ["\"1\""]);
}

/// A header's text is UTF-8, as in browsers and Python.
#[test]
fn a_header_need_not_be_ascii() {
    let app = evaluates();
    for text in ["é", "ł", "日"] {
        let expression = format!("Response('', headers={{'x-text': '{text}'}})");
        let (head, _) = app.raw(&format!("GET {} HTTP/1.1\r\n", query(&expression)));
        assert!(
            head.contains(&format!(": {text}\r\n")),
            "{head}\n{}",
            app.log()
        );
    }
}

/// The answer to HEAD is that to GET without its body, however long that is.
#[test]
fn a_body_that_nobody_gets_holds_nobody_up() {
    let app = evaluates();
    let body = query("Response(pieces(*[bytes(1 << 20)] * 5), headers={'x-seen': request.method})");
    for _ in 0..2 {
        let (head, sent) = app.raw(&format!("HEAD {body} HTTP/1.1\r\n"));
        assert!(
            head.starts_with("HTTP/1.1 200 ") && sent.is_empty(),
            "{head}"
        );
        assert!(head.to_ascii_lowercase().contains("x-seen: head"), "{head}");
    }
    let (head, _) = app.raw(&format!("HEAD {} HTTP/1.1\r\n", query("1 / 0")));
    assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
    assert_eq!(app.get(&query("Response('next')")).text(), "next");
}

/// A client that disconnects causes no traceback, and the next request is served.
#[test]
fn a_client_that_leaves_is_no_fault_of_the_program() {
    let entry = "
import time
from pymode.workers import Response

def endless():
    try:
        while True:
            yield b'x' * 100_000
    finally:
        print('closed')

def on_fetch(request, env):
    match request.url.rsplit('/', 1)[1]:
        case 'endless': return Response(endless())
        case 'slow':
            time.sleep(0.5)
            return Response(bytes(1 << 20) for _ in range(5))
        case 'read': return Response(str(len(request.bytes())))
    return Response('next')
";
    for mode in [WorkerMode::Persistent, WorkerMode::Request] {
        let app = App::serve(mode, true, &[("entry.py", entry)]);
        let leave = |request: &str, read: usize| {
            let mut stream = TcpStream::connect(app.address()).expect("it listens");
            stream.write_all(request.as_bytes()).expect("it reads");
            let mut some = vec![0; read];
            stream.read_exact(&mut some).expect("it answers");
            sleep(Duration::from_millis(100));
        };
        assert_eq!(app.get("/").text(), "next", "{}", app.log());
        leave("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n", 300_000);
        assert_eq!(app.get("/").text(), "next", "{}", app.log());
        leave("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", 0);
        assert_eq!(app.get("/").text(), "next", "{}", app.log());
        leave(
            "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this",
            0,
        );
        assert_eq!(app.get("/").text(), "next", "{}", app.log());
        // The abandoned requests end, each with an interpreter of its own.
        sleep(Duration::from_secs(1));
        let log = app.log();
        assert!(log.contains("closed"), "{log}");
        for part in ["Traceback", "Error", "did not finish"] {
            assert!(!log.contains(part), "{part}\n{log}");
        }
    }
}

/// The log of one request does not begin with the end of another's.
#[test]
fn each_request_begins_a_line_of_the_log() {
    let entry = "
import logging, sys
from pymode.workers import Response

print('importing', end='')

def on_fetch(request, env):
    name = request.url.rsplit('/', 1)[1]
    print(f'out of {name}', end='')
    if name == 'flushed':
        sys.stdout.flush()
    if name == 'raises':
        raise ValueError('bad')
    if name == 'stderr':
        print(f', err of {name}', end='', file=sys.stderr)
    return Response(name)
";
    for mode in [WorkerMode::Persistent, WorkerMode::Request] {
        let app = App::serve(mode, true, &[("entry.py", entry)]);
        for name in ["one", "flushed", "raises", "stderr", "last"] {
            app.get(&format!("/{name}"));
        }
        sleep(Duration::from_millis(300));
        let log = app.log();
        let lines: Vec<&str> = log.lines().collect();
        for line in [
            "importing",
            "out of one",
            "out of flushed",
            "out of stderr, err of stderr",
            "out of last",
        ] {
            assert!(
                lines
                    .iter()
                    .any(|logged| logged.ends_with(line) && !logged.contains(&format!("g{line}"))),
                "{line}\n{log}"
            );
        }
        assert!(
            !log.contains("importingout") && !log.contains("oneout"),
            "{log}"
        );
    }
}
