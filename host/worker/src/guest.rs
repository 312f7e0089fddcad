//! A running guest, and the numbers by which guests call the host.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Object, Promise};
use pymode_host::tasks::Jobs;
use pymode_host::wasi::{Poll, Wasi};

use crate::loader::Loader;
use crate::memory_view::MemoryView;
use crate::stream::Channel;
use crate::threads::{self, Threads};
use crate::wakeup::Wakeup;

/// The host's state of one instance of a main module.
///
/// Each part has a cell of its own. None is borrowed while guest code runs, because the guest calls the host.
pub(crate) struct GuestInstance {
    /// The instance's exports.
    pub(crate) exports: Object,
    pub(crate) memory: MemoryView,
    pub(crate) wasi: RefCell<Wasi>,
    pub(crate) loader: Loader,
    /// Wakeup of the guest.
    pub(crate) wakeup: Wakeup,
    /// `true` if it may send requests.
    pub(crate) has_network: bool,
    /// Receiver of its output while it runs, if there is one.
    pub(crate) channel: RefCell<Option<Rc<dyn Channel>>>,
    /// Promise to await before the current call is repeated.
    pub(crate) waits_for: RefCell<Option<Promise>>,
    /// Modules that wait for their constructors.
    pub(crate) jobs: Jobs,
    pub(crate) threads: Threads,
    /// The current `poll_oneoff`.
    pub(crate) poll: RefCell<Option<Poll>>,
    /// It called `proc_exit`.
    pub(crate) exit: Cell<Option<u32>>,
}

/// Parts of a guest.
pub(crate) struct GuestParts {
    pub(crate) exports: Object,
    pub(crate) memory: MemoryView,
    pub(crate) wasi: Wasi,
    pub(crate) loader: Loader,
    pub(crate) wakeup: Wakeup,
    pub(crate) has_network: bool,
    pub(crate) channel: Option<Rc<dyn Channel>>,
}

impl GuestInstance {
    pub(crate) fn new(parts: GuestParts) -> GuestInstance {
        GuestInstance {
            exports: parts.exports,
            memory: parts.memory,
            wasi: RefCell::new(parts.wasi),
            loader: parts.loader,
            wakeup: parts.wakeup,
            has_network: parts.has_network,
            channel: RefCell::new(parts.channel),
            waits_for: RefCell::default(),
            jobs: Jobs::default(),
            threads: Threads::default(),
            poll: RefCell::default(),
            exit: Cell::default(),
        }
    }

    /// Returns the current receiver of its output.
    pub(crate) fn channel(&self) -> Option<Rc<dyn Channel>> {
        self.channel.borrow().clone()
    }

    /// Suspends the guest until `promise` settles, before the current call is repeated.
    pub(crate) fn wait_for(&self, promise: Promise) {
        if let Some(channel) = self.channel() {
            channel.flush();
        }
        self.wait_quietly(promise);
    }

    /// As [`GuestInstance::wait_for`], but does not hand over the output so far.
    pub(crate) fn wait_quietly(&self, promise: Promise) {
        *self.waits_for.borrow_mut() = Some(promise);
    }
}

/// Number of a guest for the host and the import thunks. Never reused, so a stale number finds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GuestNumber(pub(crate) u32);

thread_local! {
    static GUESTS: RefCell<Vec<(GuestNumber, Rc<GuestInstance>)>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u32> = const { Cell::new(1) };
}

impl GuestNumber {
    /// Returns a new number.
    pub(crate) fn new() -> GuestNumber {
        GuestNumber(NEXT.replace(NEXT.get() + 1))
    }

    /// Returns the guest with this number.
    ///
    /// # Panics
    ///
    /// When the guest has ended. The panic traps, so the instance cannot continue.
    pub(crate) fn guest(self) -> Rc<GuestInstance> {
        GUESTS.with_borrow(|guests| {
            let found = guests.iter().find(|(number, _)| *number == self);
            Rc::clone(&found.expect("the guest has ended").1)
        })
    }
}

/// A guest that can call the host. It ends when this is dropped.
pub(crate) struct RegisteredGuest {
    number: GuestNumber,
    guest: Rc<GuestInstance>,
}

impl RegisteredGuest {
    pub(crate) fn new(number: GuestNumber, guest: GuestInstance) -> RegisteredGuest {
        let guest = Rc::new(guest);
        GUESTS.with_borrow_mut(|guests| guests.push((number, Rc::clone(&guest))));
        let weak = Rc::downgrade(&guest);
        guest.wakeup.on_notify(move || {
            if let Some(guest) = weak.upgrade() {
                threads::poll_files(&guest);
            }
        });
        RegisteredGuest { number, guest }
    }
}

impl std::ops::Deref for RegisteredGuest {
    type Target = GuestInstance;

    fn deref(&self) -> &GuestInstance {
        &self.guest
    }
}

impl Drop for RegisteredGuest {
    fn drop(&mut self) {
        GUESTS.with_borrow_mut(|guests| guests.retain(|(number, _)| *number != self.number));
        self.guest.jobs.clear();
        self.guest.threads.clear();
    }
}
