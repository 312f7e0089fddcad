//! Clocks, randomness and sleep of this machine, and the permissions that this process takes away from new files.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use pymode_host::vfs::Mode;
use pymode_host::{Clock, Errno, Platform};
use rustix::time::{ClockId, clock_getres, clock_gettime};

/// The machine below.
pub(crate) struct NativePlatform {
    start: Instant,
}

impl NativePlatform {
    pub(crate) fn new() -> NativePlatform {
        NativePlatform {
            start: Instant::now(),
        }
    }
}

impl Platform for NativePlatform {
    fn now(&self, clock: Clock) -> Result<u64, Errno> {
        let since = match clock {
            Clock::Realtime => SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_err(|_| Errno::Overflow)?,
            Clock::Monotonic => self.start.elapsed(),
            Clock::ProcessCpu => duration(clock_gettime(ClockId::ProcessCPUTime)),
            Clock::ThreadCpu => duration(clock_gettime(ClockId::ThreadCPUTime)),
        };
        u64::try_from(since.as_nanos()).map_err(|_| Errno::Overflow)
    }

    fn resolution(&self, clock: Clock) -> Result<u64, Errno> {
        let id = match clock {
            Clock::Realtime => ClockId::Realtime,
            Clock::Monotonic => ClockId::Monotonic,
            Clock::ProcessCpu => ClockId::ProcessCPUTime,
            Clock::ThreadCpu => ClockId::ThreadCPUTime,
        };
        u64::try_from(duration(clock_getres(id)).as_nanos()).map_err(|_| Errno::Overflow)
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Errno> {
        getrandom::fill(bytes).map_err(|_| Errno::Io)
    }

    fn sleep(&self, nanoseconds: u64) -> Result<(), Errno> {
        std::thread::sleep(Duration::from_nanos(nanoseconds));
        Ok(())
    }

    fn yield_now(&self) {
        std::thread::yield_now();
    }
}

fn duration(time: rustix::time::Timespec) -> Duration {
    // Neither is negative for a clock that counts from a start.
    Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    )
}

/// The mask that this process was started with, as `umask(2)` would tell if it could be asked without being set.
pub(crate) fn mask() -> Mode {
    static MASK: OnceLock<Mode> = OnceLock::new();
    *MASK.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        let bits = line.and_then(|bits| u32::from_str_radix(bits.trim(), 8).ok());
        bits.map_or(Mode::MASK, Mode::from_bits)
    })
}
