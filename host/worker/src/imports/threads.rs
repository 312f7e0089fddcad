//! `pymode.thread_*`.

use pymode_host::scheduler::ThreadId;

use super::wasi::errno;
use crate::guest::GuestNumber;
use crate::threads;

#[unsafe(export_name = "pymode.thread_spawn")]
extern "C" fn thread_spawn(guest: u32, thread: u32, top: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    errno(threads::spawn(&guest, ThreadId(thread), top))
}

/// Waits until the thread is woken.
#[unsafe(export_name = "waits!pymode.thread_park")]
extern "C" fn thread_park(guest: u32, thread: u32, until: u64, how: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    errno(threads::park(&guest, ThreadId(thread), until, how))
}

#[unsafe(export_name = "pymode.thread_unpark")]
extern "C" fn thread_unpark(guest: u32, thread: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    errno(threads::unpark(&guest, ThreadId(thread)))
}

#[unsafe(export_name = "pymode.thread_end")]
extern "C" fn thread_end(guest: u32, thread: u32) {
    threads::end(&GuestNumber(guest).guest(), ThreadId(thread));
}
