//! The fake engine as a subject of the suite: it prints plans and leaves out what needs a guest.

use pymode_dylink::{Census, OpenFlags, Preview, State as _, dlfcn, now, preview};

use super::{Fake, Snapshot};
use crate::faults::Faulty;
use crate::files::Files;
use crate::subject::Subject;

impl Subject for Fake {
    const RUNS: bool = false;

    fn new(files: Files) -> Self {
        Self::process(files)
    }

    fn open(&mut self, path: Option<&str>, flags: u32) -> u32 {
        now(dlfcn::open(self, path, flags)).unwrap_or_default()
    }

    fn sym(&mut self, handle: u32, name: &str) -> Option<u32> {
        dlfcn::sym(self, handle, name)
    }

    fn close(&mut self, handle: u32) -> bool {
        now(dlfcn::close(self, handle)).unwrap_or_default()
    }

    fn error(&mut self) -> Option<String> {
        self.program(|program| program.error.take())
    }

    fn call(&mut self, _slot: u32, _args: &[i32]) -> Result<i32, String> {
        Err("this engine runs nothing".into())
    }

    fn read(&mut self, _address: u32) -> i32 {
        0
    }

    fn loaded(&mut self) -> Vec<String> {
        self.program(|program| program.loaded())
    }

    fn plan(&mut self, path: &str, flags: u32) -> Option<String> {
        let flags = OpenFlags::from_guest(flags).ok()?;
        match now(preview(self, path, flags)) {
            Ok(plan @ Preview::New { .. }) => Some(plan.to_string()),
            // What is wrong is for `open` to say.
            Ok(_) | Err(_) => Some(String::new()),
        }
    }
}

impl Faulty for Fake {
    type Snapshot = Snapshot;

    fn calls(&self) -> u32 {
        self.calls
    }

    fn fail_in(&mut self, calls: Option<u32>) {
        self.fail_in = calls;
    }

    fn will_fail(&self) -> bool {
        self.fail_in.is_some()
    }

    fn take_guest_ran(&mut self) -> bool {
        std::mem::take(&mut self.guest_ran)
    }

    fn table_size(&self) -> usize {
        self.machine.table.len()
    }

    fn snapshot(&self) -> Snapshot {
        let mut census = self.program.census();
        // A table never shrinks: what a failed load grew is free, and used by the next.
        census.free_slots = 0;
        let table = (0..).zip(&self.machine.table);
        Snapshot {
            census,
            memory: self.machine.allocations.clone(),
            table: table
                .filter_map(|(slot, content)| Some((slot, content.as_ref()?.to_string())))
                .collect(),
            stack_pointer: self.stack_pointer(),
        }
    }

    fn census(&self) -> Census {
        self.program.census()
    }

    fn stack_pointer(&self) -> u32 {
        self.machine.globals[self.machine.stack_pointer].1
    }
}

/// The fake engine with a link plan for all files of the case: it must bind as the one without.
#[derive(Debug)]
pub struct Planned(Fake);

impl Subject for Planned {
    const RUNS: bool = false;

    fn new(files: Files) -> Self {
        Self(Fake::planned(files))
    }

    fn open(&mut self, path: Option<&str>, flags: u32) -> u32 {
        self.0.open(path, flags)
    }

    fn sym(&mut self, handle: u32, name: &str) -> Option<u32> {
        self.0.sym(handle, name)
    }

    fn close(&mut self, handle: u32) -> bool {
        self.0.close(handle)
    }

    fn error(&mut self) -> Option<String> {
        self.0.error()
    }

    fn call(&mut self, slot: u32, args: &[i32]) -> Result<i32, String> {
        self.0.call(slot, args)
    }

    fn read(&mut self, address: u32) -> i32 {
        Subject::read(&mut self.0, address)
    }

    fn loaded(&mut self) -> Vec<String> {
        self.0.loaded()
    }

    fn plan(&mut self, path: &str, flags: u32) -> Option<String> {
        Subject::plan(&mut self.0, path, flags)
    }
}
