//! The functions that guests import, as raw exports of this module.
//!
//! Their names determine the import thunks (see `pymode-workerd`): `module.function`, `waits!module.function`,
//! `ends!module.function`. The first parameter is the guest's number.

mod files;
mod http;
mod pymode;
mod threads;
mod wasi;

use crate::guest::GuestNumber;

/// Returns 1 if the call must be repeated after a wait. Called by thunks.
#[unsafe(export_name = "pending")]
extern "C" fn pending(guest: u32) -> u32 {
    GuestNumber(guest)
        .guest()
        .waits_for
        .borrow()
        .is_some()
        .into()
}
