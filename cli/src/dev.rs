//! `pymode dev`: serves a project in a local workerd, and reloads it when it changes.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{self, Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher};
use pymode_workerd::{Bundle, LocalWorkerd, Manifest};
use tempfile::TempDir;

use crate::failure::Failure;
use crate::project::{self, Bundled, Purpose};
use crate::python::Context;

/// An editor makes several changes when it saves.
const SETTLED: Duration = Duration::from_millis(60);
/// Interval of the check that workerd still runs.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Events while a project is served.
enum ServeEvent {
    Changed,
    /// Ctrl-C or a similar signal.
    Stop,
}

pub(crate) fn dev(dir: &Path, port: u16) -> Result<ExitCode, Failure> {
    Manifest::look_for_project(dir)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
        Failure::new(format!(
            "could not listen on port {port}: {error}\n  hint: choose another port with `--port N`, or any free one with `--port 0`"
        ))
    })?;
    let (sender, events) = channel();
    let changed = sender.clone();
    // Events have paths below the watched one.
    let dir = &path::absolute(dir)?;
    let root = dir.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // A lost event may have been a change.
        if !matches!(&event, Ok(event) if !concerns(&root, event)) {
            let _ = changed.send(ServeEvent::Changed);
        }
    })?;
    ctrlc::set_handler(move || drop(sender.send(ServeEvent::Stop)))?;
    watch(&mut watcher, dir)?;

    let mut served = Served::new(dir, &listener)?;
    served.renew()?;
    println!("http://{}", listener.local_addr()?);
    while let Some(()) = wait(&events, &mut served)? {
        // A replaced folder needs a new watch.
        let _ = watch(&mut watcher, dir);
        served.renew()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns `true` if an event concerns the inputs of a bundle. Reading is not a change, and a log beside the modules must not
/// cause the reload that it reports.
fn concerns(root: &Path, event: &notify::Event) -> bool {
    let is_part = |path: &PathBuf| {
        // A path in another form than the watched one may be any.
        let Ok(inside) = path.strip_prefix(root) else {
            return true;
        };
        inside.starts_with(project::SOURCES)
            || inside.as_os_str().is_empty()
            || inside
                .extension()
                .is_some_and(|kind| kind == "toml" || kind == "lock")
    };
    !matches!(event.kind, EventKind::Access(_))
        && (event.need_rescan() || event.paths.iter().any(is_part))
}

/// Watches the modules, and the folder of `pyproject.toml`, because editors replace files.
fn watch(watcher: &mut impl Watcher, dir: &Path) -> Result<(), Failure> {
    let sources = project::sources(dir);
    if sources.is_dir() {
        watcher.watch(&sources, RecursiveMode::Recursive)?;
    }
    Ok(watcher.watch(dir, RecursiveMode::NonRecursive)?)
}

/// Waits for changes until they pause. Returns `None` to stop.
fn wait(events: &Receiver<ServeEvent>, served: &mut Served<'_>) -> Result<Option<()>, Failure> {
    let mut changed = false;
    loop {
        let timeout = if changed { SETTLED } else { CHECK_INTERVAL };
        match events.recv_timeout(timeout) {
            Ok(ServeEvent::Changed) => changed = true,
            Ok(ServeEvent::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) if changed => return Ok(Some(())),
            Err(RecvTimeoutError::Timeout) => served.check_workerd()?,
        }
    }
}

/// The current state of the server.
struct Served<'a> {
    dir: PathBuf,
    listener: &'a TcpListener,
    /// Serves an error page until a project can be bundled.
    python: pymode_workerd::Python,
    /// The newest state of the project that could be bundled.
    last: Option<Bundled>,
    workerd: Option<(LocalWorkerd, TempDir)>,
}

impl<'a> Served<'a> {
    fn new(dir: &Path, listener: &'a TcpListener) -> Result<Self, Failure> {
        Ok(Self {
            dir: dir.into(),
            listener,
            python: Context::open()?.worker()?,
            last: None,
            workerd: None,
        })
    }

    /// Bundles the project in its current state. On failure keeps serving the last bundle, which then reports the error.
    fn renew(&mut self) -> Result<(), Failure> {
        match project::bundle(&self.dir, Purpose::Development) {
            Ok(bundled) => {
                self.serve(&bundled.bundle)?;
                self.last = Some(bundled);
                eprintln!("ready");
            }
            Err(failure) => {
                let notice = format!("error: {}", failure.message());
                eprintln!("{notice}");
                match &self.last {
                    Some(last) => {
                        let bundle = last.bundle.with_notice(&notice);
                        self.serve(&bundle)?;
                        eprintln!("serving the last working version until the error is fixed");
                    }
                    None => self.serve(&Bundle::failure(&notice))?,
                }
            }
        }
        Ok(())
    }

    /// Replaces the workerd. New connections wait in the socket's queue meanwhile.
    fn serve(&mut self, bundle: &Bundle) -> Result<(), Failure> {
        self.workerd = None;
        let folder = tempfile::tempdir_in(self.python.scratch())?;
        let workerd = self
            .python
            .serve_on(bundle, &folder.path().join("bundle"), self.listener)?;
        self.workerd = Some((workerd, folder));
        Ok(())
    }

    /// Fails if workerd has ended, because nothing would answer any more.
    fn check_workerd(&mut self) -> Result<(), Failure> {
        let ended = self
            .workerd
            .as_mut()
            .and_then(|(workerd, _)| workerd.ended());
        match ended {
            Some(status) => Err(Failure::new(format!(
                "workerd ended unexpectedly: {status}"
            ))),
            None => Ok(()),
        }
    }
}
