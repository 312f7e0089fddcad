//! A small local HTTP server for requests of Workers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// It answers `/echo` with the request, `/wait/20` after 20 ms, `/together/3/x` after three such requests, `/cut` with less than
/// its `content-length`, and `/large` with a megabyte.
pub(crate) struct Server {
    address: SocketAddr,
}

#[derive(Default)]
struct Together {
    come: Mutex<usize>,
    all: Condvar,
}

impl Server {
    /// Serves until the process ends.
    pub(crate) fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = listener.local_addr().expect("it is bound");
        let together = Arc::new(Together::default());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let together = Arc::clone(&together);
                // A client may disconnect.
                thread::spawn(move || drop(answer(stream, &together)));
            }
        });
        Server { address }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn answer(mut stream: TcpStream, together: &Together) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split(' ');
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let (mut length, mut asked) = (0, Vec::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match &*name.to_ascii_lowercase() {
            "content-length" => length = value.parse().unwrap_or(0),
            "x-asked" => asked.push(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;

    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let number = |at: usize| parts.get(at).and_then(|part| part.parse().ok());
    let text = match parts[0] {
        "echo" => format!(
            "{method} {} {}",
            asked.join(", "),
            String::from_utf8_lossy(&body)
        ),
        "wait" => {
            thread::sleep(Duration::from_millis(number(1).unwrap_or(0)));
            path.to_owned()
        }
        "together" => {
            let wanted = number(1).unwrap_or(1) as usize;
            let mut come = together.come.lock().expect("nobody panicked");
            *come += 1;
            together.all.notify_all();
            let limit = Duration::from_secs(20);
            let waited = together
                .all
                .wait_timeout_while(come, limit, |come| *come < wanted);
            let (come, _) = waited.expect("nobody panicked");
            format!("{} of {wanted}", *come)
        }
        "cut" => {
            return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this");
        }
        "large" => "x".repeat(1 << 20),
        _ => "nothing".to_owned(),
    };
    let status = if parts[0] == "echo" {
        "201 Created"
    } else {
        "200 OK"
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(text.as_bytes())
}
