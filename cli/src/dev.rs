//! `pymode dev`: a project in a local workerd, served anew whenever it changes.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{self, Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher};
use pymode_workerd::{Bundle, LocalWorkerd};
use tempfile::TempDir;

use crate::failure::Failure;
use crate::project::{self, Bundled, Purpose};
use crate::python::Workshop;

/// An editor that saves makes several changes at once.
const SETTLED: Duration = Duration::from_millis(60);
/// How often it is looked whether workerd is still there.
const LOOK: Duration = Duration::from_millis(500);

/// What may happen while a project is served.
enum Happening {
    Changed,
    /// Ctrl-C, or the like.
    Stop,
}

pub(crate) fn dev(dir: &Path, port: u16) -> Result<ExitCode, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
        Failure::new(format!(
            "cannot listen on port {port}: {error}\n  hint: another one is chosen with `--port N`, any that is free with `--port 0`"
        ))
    })?;
    let (sender, happenings) = channel();
    let changed = sender.clone();
    // Events tell their paths below the one that is watched.
    let dir = &path::absolute(dir)?;
    let root = dir.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // That an event was lost is a reason to look.
        if !matches!(&event, Ok(event) if !concerns(&root, event)) {
            let _ = changed.send(Happening::Changed);
        }
    })?;
    ctrlc::set_handler(move || drop(sender.send(Happening::Stop)))?;
    watch(&mut watcher, dir)?;

    let mut served = Served::new(dir, &listener)?;
    served.renew()?;
    println!("http://{}", listener.local_addr()?);
    while let Some(()) = wait(&happenings, &mut served)? {
        // A folder that has been replaced is another one.
        let _ = watch(&mut watcher, dir);
        served.renew()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether something happened to what a bundle is made of. What is only read has not changed, and a log beside the modules must
/// not set off the reload that it tells of.
fn concerns(root: &Path, event: &notify::Event) -> bool {
    let is_part = |path: &PathBuf| {
        // A path that is told otherwise than it was asked for may be any.
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

/// The modules, and `pyproject.toml`: its folder, because editors replace files.
fn watch(watcher: &mut impl Watcher, dir: &Path) -> Result<(), Failure> {
    let sources = project::sources(dir);
    if sources.is_dir() {
        watcher.watch(&sources, RecursiveMode::Recursive)?;
    }
    Ok(watcher.watch(dir, RecursiveMode::NonRecursive)?)
}

/// Waits for a change, until no more of them come; `None` when it is to end.
fn wait(happenings: &Receiver<Happening>, served: &mut Served<'_>) -> Result<Option<()>, Failure> {
    let mut changed = false;
    loop {
        let patience = if changed { SETTLED } else { LOOK };
        match happenings.recv_timeout(patience) {
            Ok(Happening::Changed) => changed = true,
            Ok(Happening::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) if changed => return Ok(Some(())),
            Err(RecvTimeoutError::Timeout) => served.look()?,
        }
    }
}

/// What is served at the moment.
struct Served<'a> {
    dir: PathBuf,
    listener: &'a TcpListener,
    /// What serves while no project could be bundled yet.
    python: pymode_workerd::Python,
    /// The project's newest state that could be bundled.
    last: Option<Bundled>,
    workerd: Option<(LocalWorkerd, TempDir)>,
}

impl<'a> Served<'a> {
    fn new(dir: &Path, listener: &'a TcpListener) -> Result<Self, Failure> {
        Ok(Self {
            dir: dir.into(),
            listener,
            python: Workshop::open()?.worker()?,
            last: None,
            workerd: None,
        })
    }

    /// Bundles the project as it is now. If that fails, what was served before is served on, and says why it is old.
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
                        eprintln!("what was there before is served until this is mended");
                    }
                    None => self.serve(&Bundle::failure(&notice))?,
                }
            }
        }
        Ok(())
    }

    /// Replaces the workerd. Who connects meanwhile waits in the socket's queue.
    fn serve(&mut self, bundle: &Bundle) -> Result<(), Failure> {
        self.workerd = None;
        let folder = tempfile::tempdir_in(self.python.scratch())?;
        let workerd = self
            .python
            .serve_on(bundle, &folder.path().join("bundle"), self.listener)?;
        self.workerd = Some((workerd, folder));
        Ok(())
    }

    /// A workerd that has ended is told of: nobody would answer any more.
    fn look(&mut self) -> Result<(), Failure> {
        let ended = self
            .workerd
            .as_mut()
            .and_then(|(workerd, _)| workerd.ended());
        match ended {
            Some(status) => Err(Failure::new(format!("workerd ended by itself: {status}"))),
            None => Ok(()),
        }
    }
}
