//! A project in a local workerd, and requests to it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use pymode_toolchain::{Cache, Reporter};
use pymode_workerd::{Bundle, LocalWorkerd, Project, Python, Settings, WorkerMode};
use tempfile::TempDir;

/// The interpreter, for all tests of a process, and the native one that compiles modules.
fn python() -> &'static (Python, PathBuf) {
    static PYTHON: OnceLock<(Python, PathBuf)> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let reporter = Reporter::stderr();
        let cache = Cache::open()
            .expect("there is a cache")
            .with_reporter(&reporter);
        let built = pymode_python::build(&cache, &reporter, Default::default());
        let built = built.unwrap_or_else(|error| panic!("{error}"));
        let python = Python::open(&cache, &reporter, &built.wasm, &built.image);
        (
            python.unwrap_or_else(|error| panic!("{error}")),
            built.native,
        )
    })
}

/// A served project.
pub(crate) struct App {
    workerd: LocalWorkerd,
    _dir: TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 0 if there was no answer.
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// `Err` if it was incomplete.
    pub(crate) body: Result<Vec<u8>, String>,
}

impl App {
    /// Serves modules (names and texts).
    pub(crate) fn serve(mode: WorkerMode, development: bool, modules: &[(&str, &str)]) -> App {
        App::with(mode, development, |sources| {
            for (name, text) in modules {
                fs::write(sources.join(name), text).expect("a module can be written");
            }
        })
    }

    /// Serves what `fill` puts into a directory.
    pub(crate) fn with(
        mode: WorkerMode,
        development: bool,
        fill: impl FnOnce(&std::path::Path),
    ) -> App {
        App::changed(mode, development, fill, Bundle::clone)
    }

    /// Serves what `fill` puts into a directory, under development, with settings.
    pub(crate) fn with_settings(settings: &Settings, fill: impl FnOnce(&std::path::Path)) -> App {
        App::new(settings, true, fill, Bundle::clone)
    }

    /// Serves a directory with a changed bundle.
    pub(crate) fn changed(
        mode: WorkerMode,
        development: bool,
        fill: impl FnOnce(&std::path::Path),
        change: impl FnOnce(&Bundle) -> Bundle,
    ) -> App {
        let settings = Settings {
            mode,
            ..Settings::default()
        };
        App::new(&settings, development, fill, change)
    }

    fn new(
        settings: &Settings,
        development: bool,
        fill: impl FnOnce(&std::path::Path),
        change: impl FnOnce(&Bundle) -> Bundle,
    ) -> App {
        let (python, native) = python();
        let dir = TempDir::new().expect("there is room for temporary files");
        let sources = dir.path().join("src");
        fs::create_dir(&sources).expect("the directory is new");
        fill(&sources);
        let project = Project {
            sources: &sources,
            sites: &[],
            settings,
            development,
            traces_loads: false,
        };
        let bundle = python.bundle(native, &project, &dir.path().join("packed"));
        let bundle = change(&bundle.unwrap_or_else(|error| panic!("{error}")));
        let workerd = python.serve(&bundle, &dir.path().join("bundle"));
        App {
            workerd: workerd.unwrap_or_else(|error| panic!("{error}")),
            _dir: dir,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .into();
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.workerd.address()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("the request is well-formed");
        let mut response = match agent.run(request) {
            Ok(response) => response,
            Err(error) => {
                return Answer {
                    status: 0,
                    headers: Vec::new(),
                    body: Err(error.to_string()),
                };
            }
        };
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned()));
        Answer {
            status: response.status().as_u16(),
            headers: headers.collect(),
            body: response
                .body_mut()
                .with_config()
                .limit(1 << 30)
                .read_to_vec()
                .map_err(|error| error.to_string()),
        }
    }

    /// Sends a request with this first line, and returns the head and the body of the answer.
    pub(crate) fn raw(&self, first: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.address()).expect("it listens");
        let limit = Some(Duration::from_secs(60));
        stream.set_read_timeout(limit).expect("it is a socket");
        let request = format!("{first}Host: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        read.unwrap_or_else(|error| panic!("{first}: {error}\n{}", self.log()));
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").expect("it has a head");
        // workerd streams in chunks.
        let body = match head
            .to_ascii_lowercase()
            .contains("transfer-encoding: chunked")
        {
            true => body.split("\r\n").skip(1).step_by(2).collect(),
            false => body.to_owned(),
        };
        (head.to_owned(), body)
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.workerd.address()
    }

    pub(crate) fn log(&self) -> String {
        self.workerd.log()
    }
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(self.body.as_ref().expect("the body is complete"))
            .expect("the body is UTF-8")
    }

    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let found = self.headers.iter().filter(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str()).collect()
    }
}
