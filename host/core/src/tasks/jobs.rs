//! Calls of a guest that wait in the middle, and continue when the guest repeats them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

type Job = Pin<Box<dyn Future<Output = u32>>>;

/// The number of a job. Never reused while the job exists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct JobNumber(u32);

/// The jobs of one guest.
///
/// A job may start another, before the first one waits. So the job to resume is not always the latest: the one whose wait has
/// ended is.
#[derive(Default)]
pub struct Jobs {
    next: Cell<u32>,
    waiting: RefCell<HashMap<JobNumber, Job>>,
    current: Cell<JobNumber>,
    /// The job whose wait has ended: the next call is for it.
    ready: Cell<Option<JobNumber>>,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}

impl Jobs {
    /// Runs a job until it ends or waits: the one whose wait has ended, or else a new one from `job`. Returns the result, or
    /// `None` if it waits.
    pub fn resume<F>(&self, job: impl FnOnce() -> F) -> Option<u32>
    where
        F: Future<Output = u32> + 'static,
    {
        let known = self
            .ready
            .take()
            .and_then(|number| Some((number, self.waiting.borrow_mut().remove(&number)?)));
        let (number, mut job) = known.unwrap_or_else(|| {
            let number = self.next.replace(self.next.get().wrapping_add(1));
            (JobNumber(number), Box::pin(job()) as Job)
        });
        let outer = self.current.replace(number);
        let done = job.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.current.set(outer);
        match done {
            Poll::Ready(result) => Some(result),
            Poll::Pending => {
                self.waiting.borrow_mut().insert(number, job);
                None
            }
        }
    }

    /// Returns the number of the running job.
    pub fn current(&self) -> JobNumber {
        self.current.get()
    }

    /// Notes that the wait of a job has ended: the next call resumes it.
    pub fn end_wait(&self, job: JobNumber) {
        self.ready.set(Some(job));
    }

    /// Returns `true` if a job waits.
    pub fn are_waiting(&self) -> bool {
        !self.waiting.borrow().is_empty()
    }

    /// Drops all jobs, of a guest that has ended.
    pub fn clear(&self) {
        // A job may use this while it is dropped.
        let dropped = self.waiting.take();
        drop(dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    /// A future that is pending at its first poll.
    fn wait() -> impl Future<Output = ()> {
        let mut has_waited = false;
        std::future::poll_fn(move |_| match std::mem::replace(&mut has_waited, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
    }

    fn never() -> std::future::Ready<u32> {
        unreachable!("a waiting job continues, so no new one starts")
    }

    #[test]
    fn a_job_that_does_not_wait_ends_at_once() {
        let jobs = Jobs::default();
        assert_eq!(jobs.resume(|| async { 7 }), Some(7));
        assert_eq!(jobs.resume(|| async { 8 }), Some(8));
    }

    #[test]
    fn a_job_that_waits_continues() {
        let jobs = Rc::new(Jobs::default());
        let number = Rc::new(Cell::new(None));
        let (inside, noted) = (Rc::clone(&jobs), Rc::clone(&number));
        let first = jobs.resume(|| async move {
            noted.set(Some(inside.current()));
            wait().await;
            wait().await;
            7
        });
        assert_eq!(first, None);
        let number = number.get().expect("the job has run");
        for expected in [None, Some(7)] {
            jobs.end_wait(number);
            assert_eq!(jobs.resume(never), expected);
        }
        // Its wait has ended, and it does not exist any more.
        jobs.end_wait(number);
        assert_eq!(jobs.resume(|| async { 8 }), Some(8));
    }

    #[test]
    fn the_job_whose_wait_has_ended_continues_not_the_latest() {
        let jobs = Rc::new(Jobs::default());
        let numbers = Rc::new(RefCell::new(Vec::new()));
        for result in [1, 2, 3] {
            let (inside, noted) = (Rc::clone(&jobs), Rc::clone(&numbers));
            let waits = jobs.resume(|| async move {
                noted.borrow_mut().push(inside.current());
                wait().await;
                result
            });
            assert_eq!(waits, None);
        }
        for at in [1, 0, 2] {
            jobs.end_wait(numbers.borrow()[at]);
            assert_eq!(jobs.resume(never), Some(at as u32 + 1));
        }
    }

    #[test]
    fn a_job_that_starts_another_is_current_again_after_it() {
        let jobs = Rc::new(Jobs::default());
        let inside = Rc::clone(&jobs);
        let result = jobs.resume(|| async move {
            let outer = inside.current();
            assert_eq!(
                inside.resume(|| async {
                    wait().await;
                    1
                }),
                None
            );
            assert_eq!(inside.current(), outer);
            2
        });
        assert_eq!(result, Some(2));
    }

    #[test]
    fn dropped_jobs_do_not_continue() {
        let jobs = Rc::new(Jobs::default());
        let held = Rc::new(());
        let inside = Rc::clone(&held);
        let waits = jobs.resume(|| async move {
            let _held = inside;
            wait().await;
            1
        });
        assert_eq!((waits, Rc::strong_count(&held)), (None, 2));
        jobs.clear();
        assert_eq!(Rc::strong_count(&held), 1);
    }
}
