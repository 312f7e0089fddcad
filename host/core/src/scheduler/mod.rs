//! The cooperative threads of a guest: which of them can run, and when the others can.
//!
//! One thread runs at a time, until it parks. Nothing here knows stacks: a host keeps one for each thread, asks
//! [`Scheduler::park`] whether a thread must leave, and lets those run that are [ready](Scheduler::pop_ready).

use std::collections::{BTreeSet, HashMap, VecDeque};

mod wait;

pub use self::wait::{Parked, ThreadId, Wait};
use crate::Errno;
use crate::wasi::Interest;

/// Maximum number of threads: a loop that starts them without end fails before the host's memory does.
const MAX_THREADS: usize = 1 << 14;

/// Sources of events besides the guest's own threads.
pub trait Outside {
    /// Returns `true` if one of the files is ready now.
    fn is_ready(&mut self, files: &Interest) -> bool;

    /// Returns `true` if one of the files can become ready although no thread of the guest runs.
    fn is_fed(&mut self, files: &Interest) -> bool;
}

#[derive(Debug)]
enum State {
    /// It runs, or waits inside of another call.
    Running,
    /// It is in the queue. `Err`: its park ended with this error.
    Ready(Result<(), Errno>),
    Parked {
        until: Option<u64>,
        files: Option<Interest>,
    },
}

#[derive(Debug)]
struct Thread {
    state: State,
    /// It was woken while it did not park: its next park returns at once.
    has_permit: bool,
}

impl Thread {
    fn new(state: State) -> Thread {
        Thread {
            state,
            has_permit: false,
        }
    }
}

/// The threads of one guest.
#[derive(Debug)]
pub struct Scheduler {
    threads: HashMap<ThreadId, Thread>,
    ready: VecDeque<ThreadId>,
    deadlines: BTreeSet<(u64, ThreadId)>,
    waiting_for_files: BTreeSet<ThreadId>,
    /// Number of threads that do not park.
    awake: usize,
}

impl Default for Scheduler {
    fn default() -> Scheduler {
        Scheduler::new()
    }
}

impl Scheduler {
    /// One thread, main, which runs.
    #[must_use]
    pub fn new() -> Scheduler {
        Scheduler {
            threads: HashMap::from([(ThreadId::MAIN, Thread::new(State::Running))]),
            ready: VecDeque::new(),
            deadlines: BTreeSet::new(),
            waiting_for_files: BTreeSet::new(),
            awake: 1,
        }
    }

    /// Adds a thread, which is ready.
    ///
    /// # Errors
    /// [`Errno::Again`] if there are too many; [`Errno::Inval`] if there is one of this number.
    pub fn spawn(&mut self, id: ThreadId) -> Result<(), Errno> {
        if self.threads.contains_key(&id) {
            return Err(Errno::Inval);
        }
        if self.threads.len() >= MAX_THREADS {
            return Err(Errno::Again);
        }
        self.threads.insert(id, Thread::new(State::Ready(Ok(()))));
        self.ready.push_back(id);
        self.awake += 1;
        Ok(())
    }

    /// Parks the thread that runs.
    ///
    /// A thread that leaves goes on by [`Scheduler::resume`]. `is_expected`: the host itself will call the guest or wake a thread.
    pub fn park(
        &mut self,
        id: ThreadId,
        wait: Wait,
        outside: &mut dyn Outside,
        is_expected: bool,
    ) -> Parked {
        let Some(thread) = self.threads.get_mut(&id) else {
            return Parked::Returns(Err(Errno::Srch));
        };
        let has_permit = std::mem::take(&mut thread.has_permit);
        if has_permit && matches!(wait, Wait::Event { .. }) {
            return Parked::Returns(Ok(()));
        }
        let (until, files) = match wait {
            Wait::Yield { .. } => {
                thread.state = State::Ready(Ok(()));
                self.ready.push_back(id);
                return Parked::Leaves;
            }
            Wait::Ever => {
                self.end(id);
                return Parked::Leaves;
            }
            Wait::Event { until, files } => (until, files),
        };
        if files.as_ref().is_some_and(|files| outside.is_ready(files)) {
            return Parked::Returns(Ok(()));
        }
        let is_fed = files.as_ref().is_some_and(|files| outside.is_fed(files));
        if until.is_none() && !is_fed && !is_expected && !self.others_may_run(outside) {
            return Parked::Returns(Err(Errno::Deadlk));
        }
        if let Some(until) = until {
            self.deadlines.insert((until, id));
        }
        if files.is_some() {
            self.waiting_for_files.insert(id);
        }
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.state = State::Parked { until, files };
            self.awake -= 1;
        }
        Parked::Leaves
    }

    /// Returns `true` if another thread than the running one runs, or will without its help.
    fn others_may_run(&self, outside: &mut dyn Outside) -> bool {
        // Itself is not parked yet.
        self.awake > 1
            || !self.deadlines.is_empty()
            || self
                .files()
                .any(|files| outside.is_fed(files) || outside.is_ready(files))
    }

    /// Wakes a thread, or gives one that does not park a permit. Returns `true` if it has become ready.
    ///
    /// # Errors
    /// [`Errno::Srch`] if there is none of this number.
    pub fn unpark(&mut self, id: ThreadId) -> Result<bool, Errno> {
        let thread = self.threads.get_mut(&id).ok_or(Errno::Srch)?;
        match thread.state {
            State::Parked { .. } => {
                self.wake(id, Ok(()));
                Ok(true)
            }
            State::Running => {
                thread.has_permit = true;
                Ok(false)
            }
            // Its park has ended already; it finds out by itself what it was woken for.
            State::Ready(_) => {
                thread.state = State::Ready(Ok(()));
                Ok(false)
            }
        }
    }

    fn wake(&mut self, id: ThreadId, result: Result<(), Errno>) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        if let State::Parked { until, .. } = &thread.state {
            if let Some(until) = until {
                self.deadlines.remove(&(*until, id));
            }
            self.waiting_for_files.remove(&id);
            thread.state = State::Ready(result);
            self.ready.push_back(id);
            self.awake += 1;
        }
    }

    /// Makes those ready whose deadline has come.
    pub fn expire(&mut self, now: u64) {
        while let Some(&(until, id)) = self.deadlines.first() {
            if until > now {
                return;
            }
            self.wake(id, Err(Errno::TimedOut));
        }
    }

    /// Makes those ready whose files are.
    pub fn check_files(&mut self, outside: &mut dyn Outside) {
        let ready: Vec<ThreadId> = { self.waiting_for_files.iter() }
            .filter(|id| {
                let thread = self.threads.get(id);
                matches!(thread.map(|thread| &thread.state), Some(State::Parked { files: Some(files), .. }) if outside.is_ready(files))
            })
            .copied()
            .collect();
        for id in ready {
            self.wake(id, Ok(()));
        }
    }

    /// Takes the thread out of the queue that has been ready for the longest time. It runs when it is
    /// [resumed](Scheduler::resume).
    pub fn pop_ready(&mut self) -> Option<ThreadId> {
        self.ready.pop_front()
    }

    /// Takes a ready thread out of the queue: the host resumes it by itself.
    pub fn withdraw(&mut self, id: ThreadId) {
        self.ready.retain(|ready| *ready != id);
    }

    /// Returns `true` if every thread waits, and nothing can end a wait.
    pub fn is_stuck(&self, outside: &mut dyn Outside) -> bool {
        self.awake == 0
            && self.deadlines.is_empty()
            && !self
                .files()
                .any(|files| outside.is_fed(files) || outside.is_ready(files))
    }

    /// Returns `true` if a thread is ready.
    #[must_use]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Marks a thread that was ready as running, and returns the result of its park.
    ///
    /// # Errors
    /// [`Errno::TimedOut`] if its deadline has come; [`Errno::Deadlk`] as for [`Scheduler::park`].
    pub fn resume(&mut self, id: ThreadId) -> Result<(), Errno> {
        let thread = self.threads.get_mut(&id).ok_or(Errno::Srch)?;
        match std::mem::replace(&mut thread.state, State::Running) {
            State::Ready(result) => result,
            State::Running | State::Parked { .. } => Ok(()),
        }
    }

    /// Removes a thread that does not park, because it has returned. Main stays: it may be entered again.
    pub fn end(&mut self, id: ThreadId) {
        if id != ThreadId::MAIN && self.threads.remove(&id).is_some() {
            self.awake -= 1;
        }
    }

    /// Returns the earliest deadline.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.deadlines.first().map(|(until, _)| *until)
    }

    /// Returns the files that parked threads wait for.
    pub fn files(&self) -> impl Iterator<Item = &Interest> {
        self.waiting_for_files
            .iter()
            .filter_map(|id| match &self.threads.get(id)?.state {
                State::Parked { files, .. } => files.as_ref(),
                _ => None,
            })
    }

    /// Ends a wait with [`Errno::Deadlk`] when every thread waits and nothing can come: main's, if it waits. It is for the case
    /// that no thread parks last, because the last one that ran has ended.
    pub fn break_deadlock(&mut self) -> Option<ThreadId> {
        let parked = self.threads.iter();
        let parked = parked.filter(|(_, thread)| matches!(thread.state, State::Parked { .. }));
        let id = *parked.map(|(id, _)| id).min()?;
        self.wake(id, Err(Errno::Deadlk));
        Some(id)
    }
}

#[cfg(test)]
mod tests;
