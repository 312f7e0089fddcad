//! A persistent interpreter, and its memory of 96 MB.

use pymode_workerd::WorkerMode;

use crate::app::App;

const MB: usize = 1 << 20;

const KEEPER: &str = "
from pymode.workers import Response

count = 0
kept = []

def on_fetch(request, env):
    global count
    count += 1
    match request.url.rsplit('/', 1)[1]:
        case 'upload': return Response(f'{count} {len(request.bytes())} {request.bytes()[-1]}')
        case 'echo': return Response(request.bytes())
        case 'answer': return Response(b'x' * (1 << 20))
        case 'small': return fill(4 << 10)
        case 'large': return fill(3 << 20)
        case 'keep':
            while True:
                kept.append(bytes(64 << 10))
    return Response(str(count))

def fill(size):
    blocks = []
    while True:
        blocks.append(bytes(size))
";

fn keeper() -> App {
    App::serve(WorkerMode::Persistent, true, &[("entry.py", KEEPER)])
}

#[test]
fn a_large_upload_leaves_the_memory_as_it_was() {
    let app = keeper();
    let mut body = vec![0; 40 * MB];
    body[40 * MB - 1] = 7;
    for count in [1, 6] {
        let answer = app.send("POST", "/upload", &[], &body);
        let expected = format!("{count} {} 7", 40 * MB);
        assert_eq!(answer.text(), expected, "{}", app.log());
        for _ in 0..4 {
            assert_eq!(app.get("/answer").body.expect("it is whole").len(), MB);
        }
    }
}

/// Without a length in the head, the buffer grows as the body arrives.
#[test]
fn a_body_in_chunks_is_not_copied_either() {
    let app = keeper();
    let mut body = vec![0; 40 * MB];
    for (number, part) in body.chunks_mut(1 << 16).enumerate() {
        part.fill(number as u8);
    }
    let answer = app.send("POST", "/echo", &[("Transfer-Encoding", "chunked")], &body);
    let echo = answer.body.expect("it is complete");
    assert!(echo == body, "{} bytes: {}", echo.len(), app.log());
}

#[test]
fn after_a_memory_error_all_memory_is_there_again() {
    let app = keeper();
    for path in ["/small", "/large"] {
        let answer = app.get(path);
        assert_eq!(answer.status, 500);
        assert!(answer.text().contains("MemoryError"), "{}", answer.text());
        let body = vec![1; 40 * MB];
        assert_eq!(app.send("POST", "/upload", &[], &body).status, 200);
        assert_eq!(app.get("/answer").body.expect("it is whole").len(), MB);
    }
    assert_eq!(app.get("/").text(), "7", "{}", app.log());
}

#[test]
fn an_interpreter_whose_memory_stays_full_is_replaced() {
    let app = keeper();
    assert_eq!(app.get("/").text(), "1", "{}", app.log());
    let answer = app.get("/keep");
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("MemoryError"), "{}", answer.text());
    assert_eq!(app.get("/").text(), "1", "{}", app.log());
}
