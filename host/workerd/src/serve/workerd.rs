//! A local workerd.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use pymode_toolchain::CacheError;
use pymode_toolchain::npm::Workerd;

use super::config::{SOCKET, capnp};
use crate::bundle::{Bundle, WriteMode};

/// Errors of a local workerd.
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
    /// There was no answer, or an invalid one.
    #[error("the Worker does not answer: {reason}{}", indent(log))]
    NoAnswer {
        /// Reason.
        reason: String,
        /// Log of workerd.
        log: String,
    },
}

/// A workerd that serves a bundle on the loopback address. It ends when this is dropped.
#[derive(Debug)]
pub struct LocalWorkerd {
    child: Child,
    address: SocketAddr,
    /// The file that holds its log.
    log: Option<PathBuf>,
}

/// A bundle with a binary configuration, which workerd does not have to parse.
#[derive(Debug)]
pub struct Compiled {
    workerd: Workerd,
    config: PathBuf,
}

impl Compiled {
    pub(crate) fn new(
        workerd: &Workerd,
        bundle: &Bundle,
        dir: &Path,
    ) -> Result<Compiled, ServeError> {
        let text = write(bundle, dir)?;
        let output = Command::new(&workerd.exe)
            .args(["compile", "--config-only"])
            .arg(&text)
            .output()
            .map_err(|source| ServeError::Start {
                exe: workerd.exe.clone(),
                source,
            })?;
        if !output.status.success() {
            return Err(ServeError::NoAnswer {
                reason: "workerd refuses its configuration".into(),
                log: String::from_utf8_lossy(&output.stderr).into_owned(),
            });
        }
        let config = dir.join("config.bin");
        fs::write(&config, output.stdout).map_err(CacheError::io("write", &config))?;
        Ok(Compiled {
            workerd: workerd.clone(),
            config,
        })
    }

    /// Starts workerd.
    ///
    /// # Errors
    /// When workerd cannot be started.
    pub fn start(&self) -> Result<LocalWorkerd, ServeError> {
        let bind = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = bind.map_err(|source| ServeError::Start {
            exe: self.workerd.exe.clone(),
            source,
        })?;
        let log = self.config.with_extension("log");
        LocalWorkerd::run(
            &self.workerd,
            &["serve", "--binary"],
            &self.config,
            &listener,
            Some(&log),
        )
    }
}

/// Writes a bundle and its configuration; returns the path of the configuration.
fn write(bundle: &Bundle, dir: &Path) -> Result<PathBuf, ServeError> {
    bundle.write(dir, WriteMode::Link)?;
    let config = dir.join("config.capnp");
    fs::write(&config, capnp(bundle)).map_err(CacheError::io("write", &config))?;
    Ok(config)
}

/// Destination of workerd's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogTarget {
    /// Into a file, for [`LocalWorkerd::log`].
    Keep,
    /// To this process's standard error.
    Show,
}

impl LocalWorkerd {
    /// Writes `bundle` to `dir` and serves it. Requests may be made at once: they wait until workerd is up.
    ///
    /// # Errors
    /// When a file cannot be written, or workerd cannot be started.
    pub fn start(
        workerd: &Workerd,
        bundle: &Bundle,
        dir: &Path,
    ) -> Result<LocalWorkerd, ServeError> {
        let bind = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = bind.map_err(|source| ServeError::Start {
            exe: workerd.exe.clone(),
            source,
        })?;
        LocalWorkerd::start_on(workerd, bundle, dir, &listener, LogTarget::Keep)
    }

    /// Serves on an existing socket, which may outlive it: new connections wait in the socket's queue.
    ///
    /// # Errors
    /// When a file cannot be written, or workerd cannot be started.
    pub fn start_on(
        workerd: &Workerd,
        bundle: &Bundle,
        dir: &Path,
        listener: &TcpListener,
        log: LogTarget,
    ) -> Result<LocalWorkerd, ServeError> {
        let config = write(bundle, dir)?;
        let path = dir.join("workerd.log");
        let log = match log {
            LogTarget::Keep => Some(path.as_path()),
            LogTarget::Show => None,
        };
        LocalWorkerd::run(workerd, &["serve"], &config, listener, log)
    }

    /// Runs workerd with a configuration. Its log goes to a file, or to this process's standard error.
    fn run(
        workerd: &Workerd,
        args: &[&str],
        config: &Path,
        listener: &TcpListener,
        log: Option<&Path>,
    ) -> Result<LocalWorkerd, ServeError> {
        let start = |source| ServeError::Start {
            exe: workerd.exe.clone(),
            source,
        };
        let out = match log {
            Some(path) => File::create(path)
                .map_err(CacheError::io("create", path))?
                .into(),
            None => io::stderr().as_fd().try_clone_to_owned().map_err(start)?,
        };
        // workerd gets the socket as file 0: the port is known before workerd runs, no other process can take it, and early
        // connections wait in its queue.
        let address = listener.local_addr().map_err(start)?;
        let socket = OwnedFd::from(listener.try_clone().map_err(start)?);
        let child = Command::new(&workerd.exe)
            .args(args)
            .arg(format!("--socket-fd={SOCKET}=0"))
            .arg(config)
            .stdin(socket)
            .stdout(out.try_clone().map_err(start)?)
            .stderr(out)
            .spawn()
            .map_err(start)?;
        Ok(LocalWorkerd {
            child,
            address,
            log: log.map(Path::to_path_buf),
        })
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the exit status if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Returns the address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the log so far, including the Worker's `console`. Empty if the log is shown.
    pub fn log(&self) -> String {
        // The log is only for messages, so an unreadable one counts as empty.
        let bytes = self.log.as_ref().and_then(|log| fs::read(log).ok());
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    }

    /// Sends `body` with POST to `path` and returns the whole answer.
    ///
    /// # Errors
    /// When there is no answer, or its status is not 200.
    pub fn post(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, ServeError> {
        let mut answer = Vec::new();
        let read = self.open(path, body)?.read_to_end(&mut answer);
        read.map_err(|error| self.no_answer(error.to_string()))?;
        Ok(answer)
    }

    /// Sends `body` with POST to `path` and returns the answer as a stream.
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
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn indent(log: &str) -> String {
    log.lines().map(|line| format!("\n  | {line}")).collect()
}
