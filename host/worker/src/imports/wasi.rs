//! `wasi_snapshot_preview1`.

use pymode_host::Errno;
use pymode_host::wasi::Outcome;

use crate::guest::{Guest, GuestNumber};
use crate::platform;

macro_rules! bind {
    ($($kind:ident fn $name:ident($($param:ident: $type:ty),*);)*) => {
        $(bind!(@ $kind $name ($($param: $type),*));)*
    };
    // May have to wait.
    (@ memory poll_oneoff ($($param:ident: $type:ty),*)) => {
        #[unsafe(export_name = "waits!wasi_snapshot_preview1.poll_oneoff")]
        extern "C" fn poll_oneoff(guest: u32, $($param: $type),*) -> u32 {
            errno(poll(&GuestNumber(guest).guest(), $($param),*))
        }
    };
    (@ memory $name:ident ($($param:ident: $type:ty),*)) => {
        #[unsafe(export_name = concat!("wasi_snapshot_preview1.", stringify!($name)))]
        extern "C" fn $name(guest: u32, $($param: $type),*) -> u32 {
            let guest = GuestNumber(guest).guest();
            errno(guest.wasi.borrow_mut().$name(&mut &guest.window, $($param),*))
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

fn errno(outcome: Outcome) -> u32 {
    outcome.map_or_else(|errno| errno.number().into(), |()| 0)
}

#[unsafe(export_name = "ends!wasi_snapshot_preview1.proc_exit")]
extern "C" fn proc_exit(guest: u32, code: u32) {
    let guest = GuestNumber(guest).guest();
    let exit = guest.wasi.borrow_mut().proc_exit(code);
    guest.exit.set(Some(exit.code));
}

/// Called once at first and once after each wait: what is waited for, and until when, is read only the first time.
fn poll(guest: &Guest, subscriptions: u32, events: u32, count: u32, used: u32) -> Outcome {
    let mut wasi = guest.wasi.borrow_mut();
    let memory = &mut &guest.window;
    let poll = match guest.poll.take() {
        Some(poll) => poll,
        None => wasi.poll_prepare(memory, subscriptions, events, count, used)?,
    };
    if wasi.poll_finish(memory, &poll, events, used)? {
        return Ok(());
    }
    let Some(left) = poll.time_left(&wasi)? else {
        // Nothing that could still come: standard input is all there, sockets wait in calls of their own.
        return Err(Errno::NotSup);
    };
    *guest.waits_for.borrow_mut() = Some(platform::timer(left).map_err(|_| Errno::Io)?);
    *guest.poll.borrow_mut() = Some(poll);
    Ok(())
}
