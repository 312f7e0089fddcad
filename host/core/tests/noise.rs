//! A guest that calls everything with anything: no panic, no endless loop, no memory without end.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Memory, ROOT, Remote, SIZE, TestGuest, call};

/// A small generator of repeatable noise (xorshift), so that a failing seed can be run again.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number that is likely to mean something: a descriptor, an address, a length, a limit.
    fn number(&mut self) -> u64 {
        match self.next() % 8 {
            0 | 1 => self.next() % 10,
            2 | 3 => u64::from(ROOT),
            // Where a path begins.
            4 => self.next() % (SIZE as u64 / 64) * 64,
            5 => (SIZE as u64)
                .wrapping_add(self.next() % 100)
                .wrapping_sub(50),
            6 => u64::MAX - self.next() % 64,
            _ => self.next(),
        }
    }
}

impl Noise {
    /// A number for a parameter of this name: mostly one that makes sense.
    fn fitting(&mut self, name: &str) -> u64 {
        if self.next().is_multiple_of(8) {
            return self.number();
        }
        match name {
            "fd" | "to" | "old_fd" | "new_fd" => {
                [u64::from(ROOT), self.next() % 10][(self.next() % 2) as usize]
            }
            "path" | "old_path" | "new_path" | "target" => self.next() % (SIZE as u64 / 64) * 64,
            "rights" => self.next(),
            name if name.ends_with("_len") || name.ends_with("flags") || name == "count" => {
                self.next() % 12
            }
            _ => self.number(),
        }
    }
}

/// An argument of an import.
trait Value {
    fn of(noise: &mut Noise, name: &str) -> Self;
}

impl Value for u32 {
    fn of(noise: &mut Noise, name: &str) -> u32 {
        noise.fitting(name) as u32
    }
}

impl Value for u64 {
    fn of(noise: &mut Noise, name: &str) -> u64 {
        noise.fitting(name)
    }
}

type Call = fn(&mut TestGuest, &mut Noise) -> bool;

/// Every function, with arguments out of the noise; each answers whether the call succeeded.
fn calls() -> Vec<Call> {
    macro_rules! calls {
        ($($kind:ident fn $name:ident($($param:ident: $ty:ty),*);)*) => {
            vec![$(calls!(@one $kind $name($($param: $ty),*))),*]
        };
        (@one memory $name:ident($($param:ident: $ty:ty),*)) => {
            |guest, noise| {
                $(let $param = <$ty>::of(noise, stringify!($param));)*
                call!(guest, $name($($param),*)).is_ok()
            }
        };
        (@one plain $name:ident($($param:ident: $ty:ty),*)) => {
            |guest, _noise| {
                $(let $param = <$ty>::of(_noise, stringify!($param));)*
                guest.wasi.$name($($param),*).is_ok()
            }
        };
    }
    pymode_host::wasi_functions!(calls)
}

#[test]
fn no_call_brings_the_host_down() {
    let calls = calls();
    let mut succeeded = vec![0; calls.len()];
    for seed in 1..=300 {
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let bytes = vec![0; SIZE];
        let mut guest = TestGuest::new(if seed % 2 == 0 {
            Memory::Slice(bytes)
        } else {
            Memory::Remote(Remote(bytes))
        });
        scatter_paths(&mut guest, &mut noise);
        for _ in 0..500 {
            let number = (noise.next() % calls.len() as u64) as usize;
            succeeded[number] += u32::from(calls[number](&mut guest, &mut noise));
        }
    }
    // Noise that never gets through tests nothing.
    let through = succeeded.iter().filter(|count| **count > 0).count();
    assert!(
        through > 30,
        "only {through} of {} functions ever succeeded: {succeeded:?}",
        calls.len()
    );
}

/// Puts paths where the noise may find them, each long enough for any length.
fn scatter_paths(guest: &mut TestGuest, noise: &mut Noise) {
    for at in (0..SIZE as u32 - 64).step_by(64) {
        let start = [
            "/tmp/a",
            "/tmp/",
            "../x",
            "/lib/big",
            ".",
            "/",
            "tmp/a/",
            "/tmp/../tmp/",
            "a",
        ];
        let padding = ["/", "x", "/."][(noise.next() % 3) as usize];
        let path = start[(noise.next() % 9) as usize].to_owned() + &padding.repeat(20);
        guest.put_at(at, path.as_bytes());
    }
}
