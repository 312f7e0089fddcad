//! `pymode.*` about files, bound to [`pymode_host::wasi`].

use super::wasi::errno;
use crate::guest::GuestNumber;

macro_rules! bind {
    ($($kind:ident fn $name:ident($($param:ident: $type:ty),*);)*) => {
        $(bind!(@ $kind $name ($($param: $type),*));)*
    };
    (@ memory $name:ident ($($param:ident: $type:ty),*)) => {
        #[unsafe(export_name = concat!("pymode.", stringify!($name)))]
        extern "C" fn $name(guest: u32, $($param: $type),*) -> u32 {
            let guest = GuestNumber(guest).guest();
            errno(guest.wasi.borrow_mut().$name(&mut &guest.memory, $($param),*))
        }
    };
    (@ plain $name:ident ($($param:ident: $type:ty),*)) => {
        #[unsafe(export_name = concat!("pymode.", stringify!($name)))]
        extern "C" fn $name(guest: u32, $($param: $type),*) -> u32 {
            errno(GuestNumber(guest).guest().wasi.borrow_mut().$name($($param),*))
        }
    };
}

pymode_host::file_functions!(bind);

#[unsafe(export_name = "pymode.umask")]
extern "C" fn umask(guest: u32, mask: u32) -> u32 {
    GuestNumber(guest).guest().wasi.borrow_mut().umask(mask)
}
