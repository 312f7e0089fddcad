//! The flags of `dlopen`, with the values of the guest's libc.

use core::fmt;

/// What `dlopen` is asked to do beside loading.
///
/// Symbols are always bound at once, so `RTLD_LAZY` and `RTLD_NOW` are the same. A call with neither `RTLD_GLOBAL` nor
/// `RTLD_LOCAL` is local, as with glibc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenFlags {
    /// `RTLD_GLOBAL`: modules that are loaded later may find this module's symbols, and those of its dependencies.
    pub global: bool,
    /// `RTLD_NOLOAD`: only if it is loaded already.
    pub noload: bool,
    /// `RTLD_NODELETE`: stays until the process ends.
    pub nodelete: bool,
}

/// `flags` holds bits that no `dlopen` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownFlags(pub u32);

impl OpenFlags {
    // wasi-libc's <dlfcn.h>. RTLD_LOCAL is 8 there, not 0.
    const LAZY: u32 = 1;
    const NOW: u32 = 2;
    const NOLOAD: u32 = 4;
    const LOCAL: u32 = 8;
    const GLOBAL: u32 = 256;
    const NODELETE: u32 = 4096;

    /// Reads the guest's number.
    pub fn from_guest(raw: u32) -> Result<Self, UnknownFlags> {
        let known =
            Self::LAZY | Self::NOW | Self::NOLOAD | Self::LOCAL | Self::GLOBAL | Self::NODELETE;
        if raw & !known != 0 {
            return Err(UnknownFlags(raw & !known));
        }
        Ok(Self {
            global: raw & Self::GLOBAL != 0,
            noload: raw & Self::NOLOAD != 0,
            nodelete: raw & Self::NODELETE != 0,
        })
    }
}

impl fmt::Display for UnknownFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown dlopen flags 0x{:x}", self.0)
    }
}

impl core::error::Error for UnknownFlags {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_is_not_zero_on_wasi() {
        assert_eq!(OpenFlags::from_guest(2 | 8), Ok(OpenFlags::default()));
        assert!(OpenFlags::from_guest(2 | 256).is_ok_and(|flags| flags.global));
        assert_eq!(OpenFlags::from_guest(2 | 16), Err(UnknownFlags(16)));
    }
}
