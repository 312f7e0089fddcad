//! An engine that runs nothing: it keeps account of memory, table and globals, checks what an engine would check, and
//! can fail at any call.

mod engine;
mod machine;
mod subject;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use pymode_dylink::{Census, EngineError, ModuleInfo, Plan, Program};

use crate::config::config;
use crate::faults::Faulty as _;
use crate::files::{Files, MAIN};
pub use machine::{Content, FakeExtern, Source};
use machine::{FakeInstance, Machine};
pub use subject::Planned;

/// The effect of a guest function that is called.
pub type Script = Rc<dyn Fn(&mut Fake) -> Result<(), FakeError>>;

/// The reason why the engine, or a guest function, failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FakeError {
    /// Injected failure.
    #[error("injected")]
    Injected,
    /// A real engine would refuse what the linker asked for.
    #[error("{0}")]
    Refused(String),
    /// The guest function traps.
    #[error("trap")]
    Trap,
    /// The guest function ends the program.
    #[error("exit")]
    Exit,
}

impl FakeError {
    fn refused(reason: &str) -> Self {
        Self::Refused(reason.into())
    }
}

impl EngineError for FakeError {
    fn is_exit(&self) -> bool {
        matches!(self, Self::Exit)
    }
}

/// A process without a guest.
pub struct Fake {
    files: Files,
    program: Program<usize, FakeExtern>,
    machine: Machine,
    main: Arc<ModuleInfo>,
    plan: Option<Arc<Plan>>,
    /// Returns the number of files that were loaded from a plan.
    recalled: u32,
    scripts: HashMap<String, Script>,
    /// Engine calls to go until one fails.
    fail_in: Option<u32>,
    /// Engine calls so far.
    calls: u32,
    guest_ran: bool,
    /// The linker's trace, if it is on.
    trace: Option<String>,
}

/// The state of the linker and of the engine.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// State of the linker.
    pub census: Census,
    /// Live allocations of main's heap: address → size.
    pub memory: BTreeMap<u32, u32>,
    /// Slots that are not null.
    pub table: BTreeMap<u32, String>,
    /// Shadow stack pointer.
    pub stack_pointer: u32,
}

impl Fake {
    /// A process over `files`, with their main module.
    ///
    /// # Panics
    /// If there is no main module, or it cannot be read: then the case is broken.
    #[must_use]
    pub fn process(files: Files) -> Self {
        let main = files.read(MAIN).expect("a case has a main module");
        let main = ModuleInfo::main_from_bytes(&main).expect("the main module can be read");
        Self {
            program: Program::new(config(&files)),
            machine: Machine::new(&main),
            main: Arc::new(main),
            plan: None,
            recalled: 0,
            files,
            scripts: HashMap::new(),
            fail_in: None,
            calls: 0,
            guest_ran: false,
            trace: None,
        }
    }

    /// Turns on the trace. Returns the trace so far.
    pub fn trace(&mut self) -> String {
        self.trace.replace(String::new()).unwrap_or_default()
    }

    /// The same with a link plan for all files.
    #[must_use]
    pub fn planned(files: Files) -> Self {
        Self {
            plan: Some(files.plan(&engine::has_host)),
            ..Self::process(files)
        }
    }

    /// Gives it a plan.
    pub fn set_plan(&mut self, plan: Plan) {
        self.plan = Some(Arc::new(plan));
    }

    /// Changes a file behind the linker's back.
    pub fn change(&mut self, path: &str, content: Vec<u8>) {
        self.files.add(path, content);
    }

    /// Returns the number of files that were loaded from a plan.
    #[must_use]
    pub fn recalled(&self) -> u32 {
        self.recalled
    }

    /// Lets the export `function` of the module at `path` do something when it is called.
    pub fn script(
        &mut self,
        path: &str,
        function: &str,
        script: impl Fn(&mut Self) -> Result<(), FakeError> + 'static,
    ) {
        let key = format!("{path}!{function}");
        self.scripts.insert(key, Rc::new(script));
    }

    fn tick(&mut self) -> Result<(), FakeError> {
        self.calls += 1;
        match &mut self.fail_in {
            Some(0) => {
                self.fail_in = None;
                Err(FakeError::Injected)
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn instance(&self, instance: usize) -> &FakeInstance {
        &self.machine.instances[instance]
    }
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fake")
            .field("snapshot", &self.snapshot())
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}
