//! A process that persists between tasks, so that its steps can be timed from outside.

use std::cell::RefCell;

use js_sys::{Object, WebAssembly};
use pymode_dylink::{dlfcn, now};
use pymode_dylink_conformance::files::Files;
use pymode_dylink_conformance::{Faulty as _, Subject as _};
use pymode_dylink_js::{JsProcess, reason};

use crate::linking::{Linking, main_module};
use crate::measured::{SIDE, ready};
use crate::subject::JsSubject;
use crate::task::{Sizes, Step};

struct Live {
    guest: JsSubject,
    handles: Vec<u32>,
}

thread_local! {
    static LIVE: RefCell<Option<Live>> = const { RefCell::new(None) };
}

/// Does a step, and tells how large things are afterwards.
pub(crate) fn step(files: Files, step: &Step) -> Result<Sizes, String> {
    LIVE.with_borrow_mut(|live| {
        if let Step::Begin { copies } = step {
            *live = Some(Live {
                guest: JsSubject::new(with_copies(files, *copies)),
                handles: Vec::new(),
            });
        }
        let live = live.as_mut().ok_or("no process has begun")?;
        live.step(step)?;
        Ok(live.sizes())
    })
}

/// The library under so many names more, each a file of its own.
fn with_copies(mut files: Files, copies: u32) -> Files {
    if let Ok(side) = files.read(SIDE) {
        for at in 0..copies {
            files.add(&name(at), side.clone());
        }
    }
    files
}

fn name(at: u32) -> String {
    format!("/{at}.so")
}

impl Live {
    fn process(&self) -> JsProcess<Linking> {
        JsProcess(self.guest.linking())
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match *step {
            Step::Begin { .. } => Ok(()),
            Step::Open {
                first,
                count,
                flags,
            } => (first..first + count).try_for_each(|at| {
                let handle = self.open(at, flags)?;
                self.handles.push(handle);
                Ok(())
            }),
            Step::Cycles { count, flags } => (0..count).try_for_each(|_| {
                let handle = self.open(0, flags)?;
                self.close(handle)
            }),
            Step::Again { count, flags } => {
                (0..count).try_for_each(|_| self.open(0, flags).map(drop))
            }
            Step::CloseAll => {
                let handles = core::mem::take(&mut self.handles);
                handles
                    .into_iter()
                    .try_for_each(|handle| self.close(handle))
            }
            Step::Symbols { exports, count } => {
                let handle = *self.handles.first().ok_or("nothing is open")?;
                let names: Vec<String> = (0..exports).map(|at| format!("f{at}")).collect();
                let mut process = self.process();
                for name in names.iter().cycle().take(count as usize) {
                    let found = dlfcn::sym(&mut process, handle, name);
                    found.ok_or_else(|| format!("`{name}` is not found"))?;
                }
                Ok(())
            }
        }
    }

    fn open(&mut self, at: u32, flags: u32) -> Result<u32, String> {
        let opened = now(dlfcn::open(&mut self.process(), Some(&name(at)), flags));
        match opened.unwrap_or_default() {
            0 => Err(self.guest.error().unwrap_or_default()),
            handle => Ok(handle),
        }
    }

    fn close(&mut self, handle: u32) -> Result<(), String> {
        match now(dlfcn::close(&mut self.process(), handle)) {
            Ok(true) => Ok(()),
            _ => Err(self.guest.error().unwrap_or_default()),
        }
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            slots: self.guest.table_size() as u32,
            pages: self.guest.pages(),
            host_pages: core::arch::wasm32::memory_size::<0>() as u32,
        }
    }
}

/// The work of so many processes that open so many libraries each.
pub(crate) fn processes(
    files: Files,
    count: u32,
    libraries: u32,
    flags: u32,
) -> Result<(), String> {
    let files = with_copies(files, libraries);
    for _ in 0..count {
        let mut live = Live {
            guest: JsSubject::new(files.clone()),
            handles: Vec::new(),
        };
        live.step(&Step::Open {
            first: 0,
            count: libraries,
            flags,
        })?;
    }
    Ok(())
}

/// The work of so many main modules and, for each, so many instantiations of the library.
pub(crate) fn bare_processes(files: &Files, count: u32, libraries: u32) -> Result<(), String> {
    let (side, imports) = ready(files)?;
    let (main, _) = main_module(files);
    for _ in 0..count {
        let instance = WebAssembly::Instance::new(&main, &Object::new());
        let mut kept = vec![instance.map_err(|thrown| reason(&thrown))?];
        for _ in 0..libraries {
            let instance = WebAssembly::Instance::new(&side, &imports);
            kept.push(instance.map_err(|thrown| reason(&thrown))?);
        }
    }
    Ok(())
}
