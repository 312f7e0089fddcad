//! `poll_oneoff`: waiting for a time to come or a file to be ready.
//!
//! In two steps, so that a host which cannot block in the middle of a call may wait in its own way between them:
//! [`Wasi::poll_prepare`] reads what is waited for, [`Wasi::poll_finish`] writes what has come.

use super::{DescriptorKind, Interest, Outcome, Wasi};
use crate::{Clock, Errno, GuestMemory};

const SUBSCRIPTION_LEN: u32 = 48;
const EVENT_LEN: u32 = 32;
/// Interval of polling, in nanoseconds, when several streams are waited for.
const SLICE: u64 = 10_000_000;

/// The events that a guest waits for.
#[derive(Debug, Clone)]
pub struct Poll {
    subscriptions: Vec<Subscription>,
}

#[derive(Debug, Clone, Copy)]
struct Subscription {
    userdata: u64,
    wanted: Result<Wanted, (Errno, u8)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// By this clock, at this time.
    Time(Clock, u64),
    Readable(u32),
    Writable(u32),
}

impl Wanted {
    /// `eventtype`.
    fn number(self) -> u8 {
        match self {
            Wanted::Time(..) => 0,
            Wanted::Readable(_) => 1,
            Wanted::Writable(_) => 2,
        }
    }
}

/// An event that has come; what files have to say besides.
struct Event {
    userdata: u64,
    errno: u16,
    kind: u8,
    bytes: u64,
    hung_up: bool,
}

impl Poll {
    fn interest(&self) -> Interest {
        let mut interest = Interest::default();
        for subscription in &self.subscriptions {
            match subscription.wanted {
                Ok(Wanted::Readable(fd)) => interest.readable.push(fd),
                Ok(Wanted::Writable(fd)) => interest.writable.push(fd),
                Ok(Wanted::Time(..)) | Err(_) => {}
            }
        }
        interest
    }

    /// Returns the nanoseconds until the first timeout. `None` if the guest only waits for files.
    ///
    /// # Errors
    /// When a clock fails.
    pub fn time_left(&self, wasi: &Wasi) -> Result<Option<u64>, Errno> {
        let mut least: Option<u64> = None;
        for subscription in &self.subscriptions {
            if let Ok(Wanted::Time(clock, time)) = subscription.wanted {
                let left = time.saturating_sub(wasi.platform.now(clock)?);
                least = Some(least.map_or(left, |least| least.min(left)));
            }
        }
        Ok(least)
    }
}

impl Wasi {
    /// Waits until at least one of the things that are asked for has come. After [`Wasi::never_wait`] it may return that there
    /// are none.
    ///
    /// # Errors
    /// [`Errno::Inval`] when nothing is asked for; [`Errno::Deadlk`] when it would wait for ever; [`Errno::Fault`];
    /// [`Errno::NotSup`] on a platform that cannot wait.
    pub fn poll_oneoff(
        &mut self,
        memory: &mut dyn GuestMemory,
        subscriptions: u32,
        events: u32,
        count: u32,
        used: u32,
    ) -> Outcome {
        let poll = self.poll_prepare(memory, subscriptions, events, count, used)?;
        loop {
            if self.poll_finish(memory, &poll, events, used)? {
                return Ok(());
            }
            if self.never_waits {
                self.interest = poll.interest();
                return Ok(());
            }
            self.wait(&poll)?;
        }
    }

    /// Reads what is waited for, and checks that there is room for the answer.
    ///
    /// # Errors
    /// [`Errno::Inval`] when nothing is asked for; [`Errno::Fault`].
    pub fn poll_prepare(
        &mut self,
        memory: &mut dyn GuestMemory,
        subscriptions: u32,
        events: u32,
        count: u32,
        used: u32,
    ) -> Result<Poll, Errno> {
        if count == 0 {
            return Err(Errno::Inval);
        }
        memory.check(
            subscriptions,
            u64::from(count) * u64::from(SUBSCRIPTION_LEN),
        )?;
        memory.check(events, u64::from(count) * u64::from(EVENT_LEN))?;
        memory.check(used, 4)?;
        let mut poll = Poll {
            subscriptions: Vec::with_capacity(count as usize),
        };
        for number in 0..count {
            let mut bytes = [0; SUBSCRIPTION_LEN as usize];
            memory.read(subscriptions + number * SUBSCRIPTION_LEN, &mut bytes)?;
            poll.subscriptions.push(self.subscription(&bytes));
        }
        Ok(poll)
    }

    fn subscription(&mut self, bytes: &[u8; SUBSCRIPTION_LEN as usize]) -> Subscription {
        let u32_at = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        let kind = bytes[8];
        let wanted = match kind {
            0 => self.time_wanted(u32_at(16), u64_at(24), bytes[40] & 1 != 0),
            1 => self
                .descriptors
                .get(u32_at(16))
                .map(|_| Wanted::Readable(u32_at(16))),
            2 => self
                .descriptors
                .get(u32_at(16))
                .map(|_| Wanted::Writable(u32_at(16))),
            _ => Err(Errno::Inval),
        };
        Subscription {
            userdata: u64_at(0),
            wanted: wanted.map_err(|errno| (errno, kind)),
        }
    }

    fn time_wanted(&self, clock: u32, time: u64, is_absolute: bool) -> Result<Wanted, Errno> {
        let clock = Clock::from_number(clock).ok_or(Errno::Inval)?;
        let now = self.platform.now(clock)?;
        Ok(Wanted::Time(
            clock,
            if is_absolute {
                time
            } else {
                now.saturating_add(time)
            },
        ))
    }

    /// Writes the events that have come by now. Answers whether there were any.
    ///
    /// # Errors
    /// [`Errno::Fault`]; what a clock fails with.
    pub fn poll_finish(
        &mut self,
        memory: &mut dyn GuestMemory,
        poll: &Poll,
        events: u32,
        used: u32,
    ) -> Result<bool, Errno> {
        let mut count = 0;
        for subscription in &poll.subscriptions {
            if let Some(event) = self.event(*subscription)? {
                let mut bytes = [0; EVENT_LEN as usize];
                bytes[0..8].copy_from_slice(&event.userdata.to_le_bytes());
                bytes[8..10].copy_from_slice(&event.errno.to_le_bytes());
                bytes[10] = event.kind;
                bytes[16..24].copy_from_slice(&event.bytes.to_le_bytes());
                bytes[24] = event.hung_up.into();
                memory.write(events + count * EVENT_LEN, &bytes)?;
                count += 1;
            }
        }
        memory.write_u32(used, count)?;
        Ok(count > 0)
    }

    fn event(&mut self, subscription: Subscription) -> Result<Option<Event>, Errno> {
        let event = |errno, kind, bytes| Event {
            userdata: subscription.userdata,
            errno,
            kind,
            bytes,
            hung_up: false,
        };
        let wanted = match subscription.wanted {
            Err((errno, kind)) => return Ok(Some(event(errno.number(), kind, 0))),
            Ok(wanted) => wanted,
        };
        let kind = wanted.number();
        Ok(match wanted {
            Wanted::Time(clock, time) => {
                (self.platform.now(clock)? >= time).then(|| event(0, kind, 0))
            }
            Wanted::Writable(fd) => match &mut self.descriptors.get(fd)?.kind {
                DescriptorKind::Stream { stream, .. } => {
                    stream.writable().then(|| event(0, kind, 0))
                }
                _ => Some(event(0, kind, 0)),
            },
            Wanted::Readable(fd) => match &mut self.descriptors.get(fd)?.kind {
                DescriptorKind::Stream { stream, .. } => stream.readable().map(|bytes| Event {
                    hung_up: bytes == 0,
                    ..event(0, kind, bytes)
                }),
                DescriptorKind::File { file, position, .. } => {
                    Some(event(0, kind, file.stat()?.size.saturating_sub(*position)))
                }
                DescriptorKind::Directory { .. } => Some(event(0, kind, 0)),
            },
        })
    }

    /// Waits until something may have come.
    fn wait(&mut self, poll: &Poll) -> Outcome {
        let left = poll.time_left(self)?;
        let fed = self.fed_from_outside(poll);
        let (limit, fd) = match fed[..] {
            [] => return self.platform.sleep(left.ok_or(Errno::Deadlk)?),
            [fd] => (left, fd),
            [fd, ..] => (Some(left.unwrap_or(SLICE).min(SLICE)), fd),
        };
        match &mut self.descriptors.get(fd)?.kind {
            DescriptorKind::Stream { stream, .. } => stream.wait_readable(limit).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// The streams among what is waited for that may become ready while the guest waits. Without any, and without a time, it
    /// would wait for ever.
    pub fn fed_from_outside(&mut self, poll: &Poll) -> Vec<u32> {
        let interest = poll.interest();
        self.fed(&interest)
    }
}
