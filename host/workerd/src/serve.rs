//! A local workerd.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use pymode_toolchain::CacheError;
use pymode_toolchain::npm::Workerd;

use crate::bundle::Bundle;
use crate::config::{SOCKET, capnp};

/// Why a local workerd does not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A file of the bundle.
    #[error(transparent)]
    File(#[from] CacheError),
    /// No port, or no process.
    #[error("cannot start workerd (`{}`): {source}", exe.display())]
    Start {
        /// The executable.
        exe: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It answered nothing, or not as a Worker does.
    #[error("the Worker does not answer: {reason}{}", indent(log))]
    NoAnswer {
        /// What happened instead.
        reason: String,
        /// What workerd has logged.
        log: String,
    },
}

/// A workerd that serves a bundle on this machine's loopback address. It ends with this value.
#[derive(Debug)]
pub struct LocalWorkerd {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl LocalWorkerd {
    /// Writes `bundle` to `dir` and serves it. Requests may be made at once: they wait until workerd is up.
    ///
    /// # Errors
    /// When a file cannot be written, or workerd not be started.
    pub fn start(
        workerd: &Workerd,
        bundle: &Bundle,
        dir: &Path,
    ) -> Result<LocalWorkerd, ServeError> {
        bundle.write(dir)?;
        let config = dir.join("config.capnp");
        fs::write(&config, capnp(bundle)).map_err(CacheError::io("write", &config))?;
        let log = dir.join("workerd.log");
        let log_file = File::create(&log).map_err(CacheError::io("create", &log))?;

        let start = |source| ServeError::Start {
            exe: workerd.exe.clone(),
            source,
        };
        // The socket is made here and handed over as file 0: its port is known before workerd runs, nobody else can take
        // it, and who connects early waits in its queue.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(start)?;
        let address = listener.local_addr().map_err(start)?;
        let child = Command::new(&workerd.exe)
            .args(["serve", &format!("--socket-fd={SOCKET}=0")])
            .arg(&config)
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(log_file.try_clone().map_err(start)?)
            .stderr(log_file)
            .spawn()
            .map_err(start)?;
        Ok(LocalWorkerd {
            child,
            address,
            log,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has logged so far, the Worker's `console` included.
    pub fn log(&self) -> String {
        // A log that cannot be read is an empty one: it only explains.
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Sends `body` with POST to `path` and gives the whole answer.
    ///
    /// # Errors
    /// When there is no answer, or its status is not 200.
    pub fn post(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, ServeError> {
        let mut answer = Vec::new();
        let read = self.open(path, body)?.read_to_end(&mut answer);
        read.map_err(|error| self.no_answer(error.to_string()))?;
        Ok(answer)
    }

    /// Sends `body` with POST to `path` and gives the answer to be read as it comes.
    ///
    /// # Errors
    /// When there is no answer, or its status is not 200.
    pub fn open(&self, path: &str, body: &[u8]) -> Result<impl Read + use<>, ServeError> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .into();
        let url = format!("http://{}{path}", self.address);
        let mut response = agent
            .post(url)
            .send(body)
            .map_err(|error| self.no_answer(error.to_string()))?;
        let status = response.status();
        if status != 200 {
            let text = response.body_mut().read_to_string().unwrap_or_default();
            return Err(self.no_answer(format!("status {status}: {text}")));
        }
        Ok(response
            .into_body()
            .into_with_config()
            .limit(u64::MAX)
            .reader())
    }

    pub(crate) fn no_answer(&self, reason: String) -> ServeError {
        ServeError::NoAnswer {
            reason,
            log: self.log(),
        }
    }
}

impl Drop for LocalWorkerd {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left to be done about it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn indent(log: &str) -> String {
    log.lines().map(|line| format!("\n  | {line}")).collect()
}
