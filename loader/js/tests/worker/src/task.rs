//! Requests to the Worker. Both ends include this file.

use pymode_dylink_conformance::files::Files;
use serde::{Deserialize, Serialize};

/// A case.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    /// `case.toml`
    pub(crate) script: String,
    /// Task.
    pub(crate) what: What,
    /// `true` if modules are opened from the plan.
    pub(crate) by_plan: bool,
    /// Which set of files it is: tasks of one set have one plan.
    pub(crate) set: usize,
    /// The link plan of all files: what they say of themselves, whether anything is opened by it or not. None: that of an
    /// earlier task of the same set.
    pub(crate) plan: Vec<u8>,
    /// Paths, which file each is, and contents: stubs where the file is a side module, or main.
    pub(crate) files: Vec<(String, u64, Vec<u8>)>,
    /// Directories in which names without a slash are looked for.
    pub(crate) library_path: Vec<String>,
    /// The keys of the modules that the case may load: their hashes.
    pub(crate) keys: Vec<String>,
}

/// A task with a case.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[allow(dead_code, reason = "no end asks for everything")]
pub(crate) enum What {
    /// The steps of its script.
    Run,
    /// Every engine call of its `dlopen`s fails once.
    Faults,
    /// `/side.wasm` is opened so often, as that many files.
    Open(u32),
    /// The same, when another was opened with `RTLD_GLOBAL` before.
    OpenLate(u32),
    /// `/side.wasm` is instantiated so often, with imports that are ready.
    Instantiate(u32),
    /// Each of the exports `f0`, `f1`, … of `/side.wasm` is found by `dlsym`, so often.
    Symbols(u32),
    /// They are read as properties of the instance's exports instead.
    Properties(u32),
    /// The export `across` of `/side.wasm` calls a function of main so often.
    Call(u32),
    /// The same, of a library that was instantiated with imports that are ready.
    CallBare(u32),
    /// So many processes open so many libraries each, with these flags.
    Processes(u32, u32, u32),
    /// As many main modules are instantiated, and `/side.wasm` as often for each.
    BareProcesses(u32, u32),
    /// Something is done to a process that stays.
    Step(Step),
}

/// A step of a persistent process. Its libraries are `/0.so`, `/1.so`, ….
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[allow(dead_code, reason = "no end asks for everything")]
pub(crate) enum Step {
    /// It takes the place of the last one. `/side.wasm` is so many of its libraries.
    Begin { copies: u32 },
    /// Libraries are opened.
    Open { first: u32, count: u32, flags: u32 },
    /// `/0.so` is opened and closed so often.
    Cycles { count: u32, flags: u32 },
    /// `/0.so`, which is open, is opened so often.
    Again { count: u32, flags: u32 },
    /// Closes all handles.
    CloseAll,
    /// `dlsym` of `f0`, `f1`, … of the first that is open, so often.
    Symbols { exports: u32, count: u32 },
}

/// The sizes of a process.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Sizes {
    /// Of its table.
    pub(crate) slots: u32,
    /// Of its memory, 64 KB each.
    pub(crate) pages: u32,
    /// Of the linker's memory.
    pub(crate) host_pages: u32,
}

/// Output of the task.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct TaskOutput {
    /// `error.txt`
    pub(crate) errors: String,
    /// Of the process that stays.
    #[serde(default)]
    pub(crate) sizes: Sizes,
}

impl Task {
    /// The files, as the linker sees them.
    #[allow(dead_code, reason = "only the Worker's end does")]
    pub(crate) fn files(&self) -> Files {
        let mut files = Files::default();
        for (path, file, content) in &self.files {
            files.put(path, *file, content.clone());
        }
        files.library_path.clone_from(&self.library_path);
        files
    }
}
