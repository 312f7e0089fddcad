//! Requests that Python makes, from a real workerd to a real server.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use pymode_workerd::WorkerMode;

use crate::app::App;
use crate::server::Server;

const ENTRY: &str = "
from pymode.http import fetch
from pymode.workers import Response

def on_fetch(request, env):
    what, url = request.url.split('?', 1)[1].split('=', 1)
    try:
        return Response(globals()[what](url))
    except OSError as error:
        return Response(f'{type(error).__name__} {error}', 502)

def plain(url):
    return f'{fetch(url).text()}'

def post(url):
    answer = fetch(url, method='POST', headers=[('X-Asked', 'one'), ('x-asked', 'two')], body='hello')
    return f'{answer.status} {answer.ok} {answer.headers.get_all(\"set-cookie\")} {answer.text()}'

def stream(url):
    with fetch(url) as answer:
        pieces = [len(piece) for piece in answer.stream()]
    return f'{sum(pieces)} {len(pieces) > 1}'

def unread(url):
    return str([fetch(url).status for _ in range(5)])
";

fn app(mode: WorkerMode, entry: &str) -> App {
    App::serve(mode, true, &[("entry.py", entry)])
}

#[test]
fn a_handler_asks_a_server() {
    let (server, app) = (Server::start(), app(WorkerMode::Persistent, ENTRY));
    let url = server.url();
    for (what, path, expected) in [
        ("plain", "wait/1", "/wait/1"),
        (
            "post",
            "echo",
            "201 True ['a=1', 'b=2'] POST one, two hello",
        ),
        ("stream", "large", "1048576 True"),
        ("unread", "large", "[200, 200, 200, 200, 200]"),
    ] {
        let answer = app.get(&format!("/?{what}={url}/{path}"));
        assert_eq!(answer.text(), expected, "{}", app.log());
    }
}

#[test]
fn what_goes_wrong_on_the_way_is_an_oserror() {
    let (server, app) = (Server::start(), app(WorkerMode::Persistent, ENTRY));
    let closed = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let nobody = closed.local_addr().expect("it is bound");
    drop(closed);
    for url in [
        format!("{}/cut", server.url()),
        format!("http://{nobody}/"),
        "nonsense".to_owned(),
    ] {
        let answer = app.get(&format!("/?plain={url}"));
        assert_eq!(answer.status, 502, "{url}: {}", answer.text());
        assert!(
            answer.text().starts_with("ConnectionError "),
            "{}",
            answer.text()
        );
    }
    let answer = app.get(&format!("/?plain={}/echo", server.url()));
    assert_eq!(answer.text(), "GET  ", "{}", app.log());
}

/// The server answers none of them before it has all of them.
#[test]
fn awaited_requests_overlap() {
    let entry = "
import asyncio
from workers import Response, WorkerEntrypoint, fetch

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = request.url.split('=', 1)[1]
        answers = await asyncio.gather(*(fetch(f'{url}/together/3/{number}') for number in range(3)), asyncio.sleep(0.01))
        return Response(' '.join([await answer.text() for answer in answers[:3]]))
";
    let (server, app) = (Server::start(), app(WorkerMode::Persistent, entry));
    let answer = app.get(&format!("/?url={}", server.url()));
    assert_eq!(answer.text(), "3 of 3 3 of 3 3 of 3", "{}", app.log());
}

#[test]
fn fetch_is_awaited_without_an_event_loop_too() {
    let entry = "
import sys
from workers import Response, fetch

async def on_fetch(request, env):
    answer = await fetch(request.url.split('=', 1)[1], method='PUT', body=b'bytes')
    return Response(f'{answer.status} {await answer.text()} {\"asyncio\" in sys.modules}')
";
    let (server, app) = (Server::start(), app(WorkerMode::Request, entry));
    let answer = app.get(&format!("/?url={}/echo", server.url()));
    assert_eq!(answer.text(), "201 PUT  bytes False", "{}", app.log());
}

/// Concurrent requests, each with a server request and a delay of its own, get their own answers.
#[test]
fn fifty_requests_that_wait_in_any_order_get_their_own_answers() {
    let entry = "
import time
from pymode.http import fetch
from pymode.workers import Response

def on_fetch(request, env):
    url, number = request.url.split('=', 1)[1].rsplit('/', 1)
    wait = int(number) * 7919 % 50
    answer = fetch(f'{url}/wait/{wait}/{number}').text()
    time.sleep((50 - wait) / 2000)
    return Response(answer)
";
    let server = Server::start();
    for mode in [WorkerMode::Persistent, WorkerMode::Request] {
        let app = app(mode, entry);
        app.get(&format!("/?url={}/0", server.url()));
        thread::scope(|scope| {
            for number in 0..50u64 {
                let (app, url) = (&app, server.url());
                scope.spawn(move || {
                    let answer = app.get(&format!("/?url={url}/{number}"));
                    let expected = format!("/wait/{}/{number}", number * 7919 % 50);
                    assert_eq!(answer.text(), expected, "{mode:?} {}", app.log());
                });
            }
        });
    }
}

/// The client disconnects during an endless answer; the interpreter is free for the next.
#[test]
fn an_answer_that_nobody_reads_any_more_ends() {
    let entry = "
from pymode.workers import Response

def pieces():
    while True:
        yield b'x' * 100_000

def on_fetch(request, env):
    return Response(pieces() if 'endless' in request.url else 'next')
";
    let app = app(WorkerMode::Persistent, entry);
    let mut stream = TcpStream::connect(app.address()).expect("it listens");
    stream
        .write_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        .expect("it reads");
    let mut some = vec![0; 300_000];
    stream.read_exact(&mut some).expect("it answers");
    drop(stream);
    assert_eq!(app.get("/").text(), "next", "{}", app.log());
}

#[test]
fn a_program_whose_entry_fails_says_so_each_time() {
    let entry = "
import os
if os.path.exists('/tmp/never'):
    pass
raise RuntimeError('not today')
def on_fetch(request, env):
    pass
";
    for mode in [WorkerMode::Persistent, WorkerMode::Request] {
        let app = app(mode, entry);
        for _ in 0..2 {
            let answer = app.get("/");
            assert_eq!(answer.status, 500);
            assert!(
                answer.text().contains("RuntimeError: not today"),
                "{}",
                answer.text()
            );
        }
    }
}
