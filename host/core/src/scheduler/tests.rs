//! Order, deadlines, permits and deadlocks of threads.

use super::*;

const A: ThreadId = ThreadId(8);
const B: ThreadId = ThreadId(16);

/// Nothing happens outside, or all files are ready, or all can become ready.
#[derive(Default)]
struct Files {
    are_ready: bool,
    are_fed: bool,
}

impl Outside for Files {
    fn is_ready(&mut self, _: &Interest) -> bool {
        self.are_ready
    }

    fn is_fed(&mut self, _: &Interest) -> bool {
        self.are_fed
    }
}

fn park(scheduler: &mut Scheduler, id: ThreadId, until: Option<u64>) -> Parked {
    let wait = Wait::Event { until, files: None };
    scheduler.park(id, wait, &mut Files::default(), false)
}

fn spawn(scheduler: &mut Scheduler, id: ThreadId) {
    scheduler.spawn(id).expect("there is room");
}

#[test]
fn threads_run_in_the_order_in_which_they_became_ready() {
    let mut scheduler = Scheduler::new();
    spawn(&mut scheduler, A);
    spawn(&mut scheduler, B);
    assert_eq!(park(&mut scheduler, ThreadId::MAIN, None), Parked::Leaves);
    assert_eq!(scheduler.pop_ready(), Some(A));
    assert_eq!(scheduler.resume(A), Ok(()));
    assert_eq!(scheduler.unpark(ThreadId::MAIN), Ok(true));
    assert_eq!(
        scheduler.park(
            A,
            Wait::Yield { lets_events: false },
            &mut Files::default(),
            false
        ),
        Parked::Leaves
    );
    for id in [B, ThreadId::MAIN, A] {
        assert_eq!(scheduler.pop_ready(), Some(id));
    }
    assert_eq!(scheduler.pop_ready(), None);
}

#[test]
fn a_thread_that_was_woken_before_it_parks_does_not_leave() {
    let mut scheduler = Scheduler::new();
    assert_eq!(scheduler.unpark(ThreadId::MAIN), Ok(false));
    assert_eq!(
        park(&mut scheduler, ThreadId::MAIN, None),
        Parked::Returns(Ok(()))
    );
    assert_eq!(
        park(&mut scheduler, ThreadId::MAIN, None),
        Parked::Returns(Err(Errno::Deadlk))
    );
}

#[test]
fn a_deadline_ends_a_park_once() {
    let mut scheduler = Scheduler::new();
    spawn(&mut scheduler, A);
    scheduler.pop_ready();
    assert_eq!(scheduler.resume(A), Ok(()));
    assert_eq!(park(&mut scheduler, A, Some(70)), Parked::Leaves);
    scheduler.expire(69);
    assert!(!scheduler.has_ready());
    assert_eq!(scheduler.deadline(), Some(70));
    scheduler.expire(70);
    assert_eq!(scheduler.pop_ready(), Some(A));
    assert_eq!(scheduler.resume(A), Err(Errno::TimedOut));
    assert_eq!(scheduler.deadline(), None);
    assert_eq!(scheduler.unpark(A), Ok(false));
}

#[test]
fn a_wake_up_comes_before_a_deadline_that_nobody_has_seen_yet() {
    let mut scheduler = Scheduler::new();
    spawn(&mut scheduler, A);
    scheduler.pop_ready();
    assert_eq!(scheduler.resume(A), Ok(()));
    assert_eq!(park(&mut scheduler, A, Some(70)), Parked::Leaves);
    scheduler.expire(80);
    assert_eq!(scheduler.unpark(A), Ok(false));
    assert_eq!(scheduler.resume(A), Ok(()));
}

#[test]
fn the_last_thread_to_park_without_end_fails() {
    let mut scheduler = Scheduler::new();
    spawn(&mut scheduler, A);
    assert_eq!(park(&mut scheduler, ThreadId::MAIN, None), Parked::Leaves);
    scheduler.pop_ready();
    assert_eq!(scheduler.resume(A), Ok(()));
    assert_eq!(
        park(&mut scheduler, A, None),
        Parked::Returns(Err(Errno::Deadlk))
    );
    let wait = Wait::Event {
        until: None,
        files: None,
    };
    assert_eq!(
        scheduler.park(A, wait, &mut Files::default(), true),
        Parked::Leaves
    );
}

#[test]
fn mains_park_fails_when_the_last_other_thread_has_ended() {
    let mut scheduler = Scheduler::new();
    spawn(&mut scheduler, A);
    assert_eq!(park(&mut scheduler, ThreadId::MAIN, None), Parked::Leaves);
    scheduler.pop_ready();
    assert_eq!(scheduler.resume(A), Ok(()));
    scheduler.end(A);
    assert!(!scheduler.has_ready());
    assert_eq!(scheduler.break_deadlock(), Some(ThreadId::MAIN));
    assert_eq!(scheduler.pop_ready(), Some(ThreadId::MAIN));
    assert_eq!(scheduler.resume(ThreadId::MAIN), Err(Errno::Deadlk));
}

#[test]
fn files_end_a_park() {
    let mut scheduler = Scheduler::new();
    let wait = || Wait::Event {
        until: None,
        files: Some(Interest::default()),
    };
    let mut outside = Files {
        are_fed: true,
        ..Files::default()
    };
    assert_eq!(
        scheduler.park(ThreadId::MAIN, wait(), &mut outside, false),
        Parked::Leaves
    );
    scheduler.check_files(&mut outside);
    assert!(!scheduler.has_ready());
    outside.are_ready = true;
    scheduler.check_files(&mut outside);
    assert_eq!(scheduler.pop_ready(), Some(ThreadId::MAIN));
    assert_eq!(scheduler.resume(ThreadId::MAIN), Ok(()));
    assert_eq!(
        scheduler.park(ThreadId::MAIN, wait(), &mut outside, false),
        Parked::Returns(Ok(()))
    );
}

#[test]
fn numbers_are_checked() {
    let mut scheduler = Scheduler::new();
    assert_eq!(scheduler.spawn(ThreadId::MAIN), Err(Errno::Inval));
    assert_eq!(scheduler.unpark(A), Err(Errno::Srch));
    assert_eq!(
        park(&mut scheduler, A, None),
        Parked::Returns(Err(Errno::Srch))
    );
    for number in 1..MAX_THREADS as u32 {
        spawn(&mut scheduler, ThreadId(number));
    }
    assert_eq!(scheduler.spawn(ThreadId(1 << 20)), Err(Errno::Again));
    scheduler.end(ThreadId(1));
    assert_eq!(scheduler.spawn(ThreadId(1 << 20)), Ok(()));
}
