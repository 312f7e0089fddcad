//! Downloads from a server that misbehaves in the ways that networks do.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use pymode_toolchain::{Cache, DownloadError, Reporter, Sha256Hex, Source, download};

const TEXT: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The behaviour of the server.
#[derive(Clone, Copy)]
enum Manner {
    /// As asked, ranges too.
    Well,
    /// Breaks off after ten bytes, ranges too.
    Breaks,
    /// Always gives the whole, as if it knew no ranges.
    Whole,
    /// Gives something else.
    Other,
    /// Has nothing.
    Nothing,
}

/// A server on this machine; it counts what it was asked.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Option<usize>>>>,
}

impl Server {
    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.expect("a connection");
                let begin = begin_of_range(&stream);
                log.lock().expect("no panic").push(begin);
                // The client may hang up first: that is its right.
                let _ = answer(stream, manner, begin);
            }
        });
        Self { address, asked }
    }

    fn source(&self) -> Source {
        Source(format!("http://{}/file", self.address))
    }

    fn asked(&self) -> Vec<Option<usize>> {
        self.asked.lock().expect("no panic").clone()
    }
}

fn begin_of_range(stream: &TcpStream) -> Option<usize> {
    let lines = BufReader::new(stream).lines();
    let headers: Vec<String> = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    headers.iter().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("range: bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    })
}

fn answer(mut stream: TcpStream, manner: Manner, begin: Option<usize>) -> std::io::Result<()> {
    let (body, at) = match manner {
        Manner::Nothing => {
            return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        }
        Manner::Other => (&b"something else"[..], 0),
        Manner::Whole => (TEXT, 0),
        Manner::Well | Manner::Breaks => (TEXT, begin.unwrap_or(0)),
    };
    if at >= body.len() {
        return stream
            .write_all(b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n");
    }
    let rest = &body[at..];
    let head = match at {
        0 => "HTTP/1.1 200 OK".to_owned(),
        at => format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {at}-{}/{}",
            body.len() - 1,
            body.len()
        ),
    };
    write!(
        stream,
        "{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        rest.len()
    )?;
    let sent = if matches!(manner, Manner::Breaks) {
        rest.len().min(10)
    } else {
        rest.len()
    };
    stream.write_all(&rest[..sent])
}

struct Bench {
    _dir: tempfile::TempDir,
    cache: Cache,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let cache = Cache::at(dir.path()).expect("a cache");
        Self { _dir: dir, cache }
    }

    fn get(&self, sources: &[Source]) -> Result<Vec<u8>, DownloadError> {
        let path = download(
            &self.cache,
            &Reporter::quiet(),
            "file",
            sources,
            &Sha256Hex::of(TEXT),
        )?;
        Ok(std::fs::read(path).expect("it is there"))
    }
}

#[test]
fn a_broken_download_is_continued_and_then_kept() {
    let (bench, server) = (Bench::new(), Server::start(Manner::Breaks));
    for n in 0..3 {
        let error = bench
            .get(&[server.source()])
            .expect_err("it broke")
            .to_string();
        assert!(
            error.contains(&format!("after {} bytes", 10 * (n + 1))),
            "{error}"
        );
        assert!(error.contains("hint:"), "{error}");
    }
    assert_eq!(
        bench.get(&[server.source()]).expect("the last six bytes"),
        TEXT
    );
    assert_eq!(bench.get(&[server.source()]).expect("from the cache"), TEXT);
    assert_eq!(server.asked(), [None, Some(10), Some(20), Some(30)]);
}

#[test]
fn a_server_without_ranges_begins_anew() {
    let bench = Bench::new();
    bench
        .get(&[Server::start(Manner::Breaks).source()])
        .expect_err("it broke");
    assert_eq!(
        bench
            .get(&[Server::start(Manner::Whole).source()])
            .expect("all of it"),
        TEXT
    );
}

#[test]
fn the_next_source_is_asked() {
    let bench = Bench::new();
    let sources =
        [Manner::Nothing, Manner::Other, Manner::Well].map(|manner| Server::start(manner).source());
    assert_eq!(bench.get(&sources).expect("the third has it"), TEXT);
}

#[test]
fn another_file_is_refused_and_deleted() {
    let (bench, server) = (Bench::new(), Server::start(Manner::Other));
    let error = bench
        .get(&[server.source()])
        .expect_err("another file")
        .to_string();
    let found = Sha256Hex::of(b"something else");
    assert!(
        error.contains(found.as_str()) && error.contains(Sha256Hex::of(TEXT).as_str()),
        "{error}"
    );
    let left: Vec<_> = walk(bench.cache.root());
    assert!(left.iter().all(|name| name.ends_with(".lock")), "{left:?}");
}

#[test]
fn too_much_on_disk_from_elsewhere_does_not_stop_it() {
    // What is there is as long as the file, but is not the file: the server says 416, the hash says no, and it is deleted.
    let (bench, server) = (Bench::new(), Server::start(Manner::Well));
    bench
        .get(&[Server::start(Manner::Breaks).source()])
        .expect_err("it broke");
    let partial = walk(bench.cache.root())
        .into_iter()
        .find(|name| name.ends_with(".download"))
        .expect("it is kept");
    std::fs::write(
        bench.cache.root().join("downloads").join(partial),
        [b'x'; 36],
    )
    .expect("written");
    bench
        .get(&[server.source()])
        .expect_err("the hash is wrong");
    assert_eq!(bench.get(&[server.source()]).expect("anew"), TEXT);
}

#[test]
fn without_a_network_the_error_says_so() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address");
    let error = Bench::new()
        .get(&[Source(format!("http://{closed}/file"))])
        .expect_err("nobody listens")
        .to_string();
    assert!(
        error.contains("could not download `file`")
            && error.contains("hint: check the network connection"),
        "{error}"
    );
    let error = Bench::new().get(&[]).expect_err("no source").to_string();
    assert!(error.contains("no source"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_to_be_full() {
    let (bench, server) = (Bench::new(), Server::start(Manner::Breaks));
    bench.get(&[server.source()]).expect_err("it broke");
    let name = walk(bench.cache.root())
        .into_iter()
        .find(|name| name.ends_with(".download"))
        .expect("it is kept");
    let path = bench.cache.root().join("downloads").join(name);
    std::fs::remove_file(&path).expect("deleted");
    // Every write to this device fails as a write to a full disk does.
    std::os::unix::fs::symlink("/dev/full", &path).expect("linked");
    let error = bench
        .get(&[server.source()])
        .expect_err("the disk is full")
        .to_string();
    assert!(
        error.contains("the disk is full") && error.contains("PYMODE_CACHE"),
        "{error}"
    );
}

/// The names of all files below a directory.
fn walk(dir: &std::path::Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).expect("read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            names.extend(walk(&path));
        } else {
            names.extend(
                path.file_name()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    names
}
