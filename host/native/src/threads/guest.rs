//! The threads of one guest, and the stacks that they run on.

use std::collections::HashMap;

use pymode_host::scheduler::{Outside, Parked, Scheduler, ThreadId, Wait};
use pymode_host::wasi::{Interest, Wasi};
use pymode_host::{Clock, Errno};

/// Interval of polling, in nanoseconds, when several files of this machine are waited for.
const SLICE: u64 = 10_000_000;

/// Number of switches after which files are polled although threads are ready.
const SWITCHES: u32 = 16;

/// The threads and stacks of a guest that can switch stacks.
pub(crate) struct Threads {
    scheduler: Scheduler,
    /// Initial stack pointers of threads that have not begun.
    tops: HashMap<ThreadId, u32>,
    stacks: Stacks,
    /// Counts down to the next poll of files.
    until_poll: u32,
    /// Calls of the host under way that called the guest: through them no thread can leave its stack.
    host_frames: u32,
    has_started: bool,
}

/// Which stack each thread runs on.
#[derive(Default)]
struct Stacks {
    by_thread: HashMap<ThreadId, u32>,
    /// The ones that wait for their next thread.
    free: Vec<u32>,
    count: u32,
    /// The thread that the stack that runs next was given.
    given: Option<ThreadId>,
}

impl Stacks {
    /// Returns the stack of a thread, and gives it one if it has none.
    fn of(&mut self, thread: ThreadId) -> u32 {
        if let Some(stack) = self.by_thread.get(&thread) {
            return *stack;
        }
        let stack = self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        });
        self.by_thread.insert(thread, stack);
        self.given = Some(thread);
        stack
    }
}

/// The guest's files, for the scheduler.
struct Files<'a>(&'a mut Wasi);

impl Outside for Files<'_> {
    fn is_ready(&mut self, files: &Interest) -> bool {
        self.0.is_ready(files)
    }

    fn is_fed(&mut self, files: &Interest) -> bool {
        !self.0.fed(files).is_empty()
    }
}

impl Threads {
    pub(crate) fn new() -> Threads {
        Threads {
            scheduler: Scheduler::new(),
            tops: HashMap::new(),
            stacks: Stacks::default(),
            until_poll: SWITCHES,
            host_frames: 0,
            has_started: false,
        }
    }

    pub(crate) fn spawn(&mut self, thread: ThreadId, top: u32) -> Result<(), Errno> {
        self.scheduler.spawn(thread)?;
        self.tops.insert(thread, top);
        Ok(())
    }

    pub(crate) fn unpark(&mut self, thread: ThreadId) -> Result<(), Errno> {
        self.scheduler.unpark(thread).map(|_| ())
    }

    /// A call of the host calls the guest.
    pub(crate) fn enter_host_frame(&mut self) {
        self.host_frames += 1;
    }

    pub(crate) fn leave_host_frame(&mut self) {
        self.host_frames -= 1;
    }

    pub(crate) fn has_host_frame(&self) -> bool {
        self.host_frames > 0
    }

    pub(crate) fn park(&mut self, wasi: &mut Wasi, thread: ThreadId, wait: Wait) -> Parked {
        self.scheduler.park(thread, wait, &mut Files(wasi), false)
    }

    pub(crate) fn resume(&mut self, thread: ThreadId) -> Result<(), Errno> {
        self.scheduler.resume(thread)
    }

    /// Returns the thread that the stack that runs now was given, and its initial stack pointer.
    pub(crate) fn begin(&mut self) -> (ThreadId, u32) {
        let thread = self.stacks.given.take().unwrap_or(ThreadId::MAIN);
        // Main has the linker's; the others were spawned.
        (thread, self.tops.remove(&thread).unwrap_or_default())
    }

    pub(crate) fn end(&mut self, thread: ThreadId) {
        self.scheduler.end(thread);
    }

    /// The thread has returned, and its stack is to run another one.
    pub(crate) fn free_stack(&mut self, thread: ThreadId) {
        self.stacks
            .free
            .extend(self.stacks.by_thread.remove(&thread));
    }

    /// Returns the stack that runs next. Waits until there is one.
    pub(crate) fn next(&mut self, wasi: &mut Wasi) -> Result<u32, Errno> {
        if !self.has_started {
            self.has_started = true;
            return Ok(self.stacks.of(ThreadId::MAIN));
        }
        self.until_poll -= 1;
        if self.until_poll == 0 {
            self.poll(wasi)?;
        }
        loop {
            if let Some(thread) = self.scheduler.pop_ready() {
                if self.tops.contains_key(&thread) {
                    // It begins; one that left goes on in `resume`.
                    self.scheduler.resume(thread)?;
                }
                return Ok(self.stacks.of(thread));
            }
            self.poll(wasi)?;
            if !self.scheduler.has_ready() {
                self.wait(wasi)?;
            }
        }
    }

    /// Finds out which threads have become ready.
    fn poll(&mut self, wasi: &mut Wasi) -> Result<(), Errno> {
        self.until_poll = SWITCHES;
        if self.scheduler.deadline().is_some() {
            self.scheduler
                .expire(wasi.platform().now(Clock::Monotonic)?);
        }
        self.scheduler.check_files(&mut Files(wasi));
        Ok(())
    }

    /// No thread is ready: waits until one may be.
    fn wait(&mut self, wasi: &mut Wasi) -> Result<(), Errno> {
        let now = wasi.platform().now(Clock::Monotonic)?;
        let deadline = self.scheduler.deadline();
        let left = deadline.map(|until| until.saturating_sub(now));
        let mut fed: Vec<u32> = Vec::new();
        for files in self.scheduler.files() {
            fed.extend(wasi.fed(files));
        }
        fed.dedup();
        match (&fed[..], left) {
            ([], None) => {
                // Its park fails, so that it says so. Without it main waits within a call of the host, or has ended.
                self.scheduler.break_deadlock().ok_or(Errno::Deadlk)?;
                Ok(())
            }
            ([], Some(left)) => ignore_interruption(wasi.platform().sleep(left)),
            ([fd], left) => ignore_interruption(wasi.wait_readable(*fd, left)),
            ([fd, ..], left) => {
                let slice = left.unwrap_or(SLICE).min(SLICE);
                ignore_interruption(wasi.wait_readable(*fd, Some(slice)))
            }
        }
    }
}

/// Treats an interrupted wait as one that has ended: the caller polls again.
fn ignore_interruption(outcome: Result<(), Errno>) -> Result<(), Errno> {
    match outcome {
        Err(Errno::Intr) => Ok(()),
        outcome => outcome,
    }
}
