//! `pymode.thread_*`, and the functions that `scheduler.wat` calls.

use pymode_abi::MODULE;
use pymode_host::scheduler::{Parked, ThreadId, Wait};
use pymode_host::wasi::{Outcome, Wasi};
use pymode_host::{Clock, Errno};
use wasmtime::{Caller, Linker};

use crate::guest::GuestProcess;
use crate::threads::guest::Threads;

pub(crate) const NAMES: &[&str] = &["thread_spawn", super::PARK, "thread_unpark", "thread_end"];

/// `$park` of `scheduler.wat`: the thread has to leave.
const LEAVES: i32 = -1;

/// For guests. Where stacks are switched, `thread_park` is replaced.
pub(crate) fn add(linker: &mut Linker<GuestProcess>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        NAMES[0],
        |mut caller: Caller<'_, GuestProcess>, thread: u32, top: u32| {
            let spawned = match &mut caller.data_mut().threads {
                Some(threads) => threads.spawn(ThreadId(thread), top),
                None => Err(Errno::NoSys),
            };
            number(spawned)
        },
    )?;
    linker.func_wrap(
        MODULE,
        super::PARK,
        |mut caller: Caller<'_, GuestProcess>, _thread: u32, until: u64, how: u32| {
            let wasi = &mut caller.data_mut().wasi;
            let wait = Wait::from_guest(until, how, || wasi.take_interest());
            number(wait.and_then(|wait| wait_here(wasi, &wait)))
        },
    )?;
    linker.func_wrap(
        MODULE,
        NAMES[2],
        |mut caller: Caller<'_, GuestProcess>, thread: u32| {
            let woken = match &mut caller.data_mut().threads {
                Some(threads) => threads.unpark(ThreadId(thread)),
                None => Ok(()),
            };
            number(woken)
        },
    )?;
    linker.func_wrap(
        MODULE,
        NAMES[3],
        |mut caller: Caller<'_, GuestProcess>, thread: u32| {
            if let Some(threads) = &mut caller.data_mut().threads {
                threads.end(ThreadId(thread));
            }
        },
    )?;
    Ok(())
}

/// For the module that switches stacks.
pub(super) fn add_host(linker: &mut Linker<GuestProcess>) -> wasmtime::Result<()> {
    const HOST: &str = "host";
    linker.func_wrap(HOST, "next", |mut caller: Caller<'_, GuestProcess>| {
        let (threads, wasi) = parts(&mut caller)?;
        let stack = threads.next(wasi);
        stack.map_err(|errno| wasmtime::Error::msg(format!("no thread can run: {errno}")))
    })?;
    linker.func_wrap(HOST, "begin", |mut caller: Caller<'_, GuestProcess>| {
        let (threads, _) = parts(&mut caller)?;
        let (thread, top) = threads.begin();
        Ok((thread.0, top))
    })?;
    linker.func_wrap(
        HOST,
        "end",
        |mut caller: Caller<'_, GuestProcess>, thread: u32| -> wasmtime::Result<()> {
            parts(&mut caller)?.0.free_stack(ThreadId(thread));
            Ok(())
        },
    )?;
    linker.func_wrap(HOST, "park", park)?;
    linker.func_wrap(
        HOST,
        "resume",
        |mut caller: Caller<'_, GuestProcess>, thread: u32| {
            let (threads, _) = parts(&mut caller)?;
            Ok(number(threads.resume(ThreadId(thread))))
        },
    )?;
    Ok(())
}

fn park(
    mut caller: Caller<'_, GuestProcess>,
    thread: u32,
    until: u64,
    how: u32,
) -> wasmtime::Result<i32> {
    let (threads, wasi) = parts(&mut caller)?;
    let wait = match Wait::from_guest(until, how, || wasi.take_interest()) {
        Ok(wait) => wait,
        Err(errno) => return Ok(number(Err(errno))),
    };
    if threads.has_host_frame() {
        // The linker waits for this constructor, on this stack.
        return Ok(number(wait_here(wasi, &wait)));
    }
    Ok(match threads.park(wasi, ThreadId(thread), wait) {
        Parked::Leaves => LEAVES,
        Parked::Returns(outcome) => number(outcome),
    })
}

/// Waits without letting other threads run.
fn wait_here(wasi: &mut Wasi, wait: &Wait) -> Outcome {
    let (until, files) = match wait {
        Wait::Yield { .. } | Wait::Ever => return Ok(()),
        Wait::Event { until, files } => (until, files),
    };
    let left = match until {
        Some(until) => Some(until.saturating_sub(wasi.platform().now(Clock::Monotonic)?)),
        None => None,
    };
    let fed = files.as_ref().map(|files| wasi.fed(files));
    match (fed.unwrap_or_default().first(), left) {
        (Some(fd), left) => wasi.wait_readable(*fd, left),
        (None, Some(left)) => {
            wasi.platform().sleep(left)?;
            Err(Errno::TimedOut)
        }
        (None, None) => Err(Errno::Deadlk),
    }
}

fn parts<'a>(
    caller: &'a mut Caller<'_, GuestProcess>,
) -> wasmtime::Result<(&'a mut Threads, &'a mut Wasi)> {
    let guest = caller.data_mut();
    match &mut guest.threads {
        Some(threads) => Ok((threads, &mut guest.wasi)),
        None => Err(wasmtime::Error::msg("this program has no threads")),
    }
}

fn number(outcome: Outcome) -> i32 {
    outcome.map_or_else(|errno| i32::from(errno.number()), |()| 0)
}
