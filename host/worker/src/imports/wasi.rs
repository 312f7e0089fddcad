//! `wasi_snapshot_preview1`.

use pymode_host::Errno;
use pymode_host::wasi::Outcome;

use crate::guest::{GuestInstance, GuestNumber};

/// Descriptors of the guest's output: standard output, and the number to which `_handler.py` moves it.
const OUTPUTS: [u32; 2] = [1, 255];

macro_rules! bind {
    ($($kind:ident fn $name:ident($($param:ident: $type:ty),*);)*) => {
        $(bind!(@ $kind $name ($($param: $type),*));)*
    };
    // They may have to wait.
    (@ memory poll_oneoff ($($param:ident: $type:ty),*)) => {
        #[unsafe(export_name = "waits!wasi_snapshot_preview1.poll_oneoff")]
        extern "C" fn poll_oneoff(guest: u32, $($param: $type),*) -> u32 {
            errno(poll(&GuestNumber(guest).guest(), $($param),*))
        }
    };
    (@ memory fd_read ($($param:ident: $type:ty),*)) => {
        #[unsafe(export_name = "waits!wasi_snapshot_preview1.fd_read")]
        extern "C" fn fd_read(guest: u32, $($param: $type),*) -> u32 {
            let guest = GuestNumber(guest).guest();
            let outcome = guest.wasi.borrow_mut().fd_read(&mut &guest.memory, $($param),*);
            if guest.wakeup.take_wanted() {
                guest.wait_for(guest.wakeup.wait());
            }
            errno(outcome)
        }
    };
    (@ memory fd_write ($fd:ident: $fd_type:ty, $($param:ident: $type:ty),*)) => {
        #[unsafe(export_name = "waits!wasi_snapshot_preview1.fd_write")]
        extern "C" fn fd_write(guest: u32, $fd: $fd_type, $($param: $type),*) -> u32 {
            let guest = GuestNumber(guest).guest();
            if OUTPUTS.contains(&$fd) && let Some(promise) = guest.channel().and_then(|channel| channel.congestion()) {
                guest.wait_for(promise);
                return 0;
            }
            errno(guest.wasi.borrow_mut().fd_write(&mut &guest.memory, $fd, $($param),*))
        }
    };
    (@ memory $name:ident ($($param:ident: $type:ty),*)) => {
        #[unsafe(export_name = concat!("wasi_snapshot_preview1.", stringify!($name)))]
        extern "C" fn $name(guest: u32, $($param: $type),*) -> u32 {
            let guest = GuestNumber(guest).guest();
            errno(guest.wasi.borrow_mut().$name(&mut &guest.memory, $($param),*))
        }
    };
    (@ plain $name:ident ($($param:ident: $type:ty),*)) => {
        #[unsafe(export_name = concat!("wasi_snapshot_preview1.", stringify!($name)))]
        extern "C" fn $name(guest: u32, $($param: $type),*) -> u32 {
            errno(GuestNumber(guest).guest().wasi.borrow_mut().$name($($param),*))
        }
    };
}

pymode_host::wasi_functions!(bind);

pub(super) fn errno(outcome: Outcome) -> u32 {
    outcome.map_or_else(|errno| errno.number().into(), |()| 0)
}

#[unsafe(export_name = "ends!wasi_snapshot_preview1.proc_exit")]
extern "C" fn proc_exit(guest: u32, code: u32) {
    let guest = GuestNumber(guest).guest();
    let exit = guest.wasi.borrow_mut().proc_exit(code);
    guest.exit.set(Some(exit.code));
}

/// Polls. The thunk repeats the call after each wait; the subscriptions are only read by the first call.
fn poll(guest: &GuestInstance, subscriptions: u32, events: u32, count: u32, used: u32) -> Outcome {
    let mut wasi = guest.wasi.borrow_mut();
    let memory = &mut &guest.memory;
    if wasi.never_waits() {
        return wasi.poll_oneoff(memory, subscriptions, events, count, used);
    }
    let poll = match guest.poll.take() {
        Some(poll) => poll,
        None => wasi.poll_prepare(memory, subscriptions, events, count, used)?,
    };
    if wasi.poll_finish(memory, &poll, events, used)? {
        return Ok(());
    }
    let left = poll.time_left(&wasi)?;
    let comes_from_outside = !wasi.fed_from_outside(&poll).is_empty();
    let promise = match left {
        Some(left) => guest.wakeup.wait_at_most(left).map_err(|_| Errno::Io)?,
        None if comes_from_outside => guest.wakeup.wait(),
        // Only the guest itself could end the wait.
        None => return Err(Errno::Deadlk),
    };
    *guest.poll.borrow_mut() = Some(poll);
    guest.wait_for(promise);
    Ok(())
}
