//! The flags of `dlopen`, with the values of the guest's libc.

/// Options of `dlopen`.
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

/// No `dlopen` knows what is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadFlags {
    /// Bits that no `dlopen` knows: these.
    #[error("unknown dlopen flags 0x{0:x}")]
    Unknown(u32),
    /// Neither of the two that say when to bind, of which POSIX demands one; glibc refuses it, too.
    #[error("dlopen flags 0x{0:x} hold neither RTLD_LAZY nor RTLD_NOW\n  hint: add RTLD_NOW")]
    NoTime(u32),
}

impl OpenFlags {
    // wasi-libc's <dlfcn.h>. RTLD_LOCAL is 8 there, not 0.
    const LAZY: u32 = 1;
    const NOW: u32 = 2;
    const NOLOAD: u32 = 4;
    const LOCAL: u32 = 8;
    const GLOBAL: u32 = 256;
    const NODELETE: u32 = 4096;

    /// Reads the guest's number.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_guest(raw: u32) -> Result<Self, BadFlags> {
        let known =
            Self::LAZY | Self::NOW | Self::NOLOAD | Self::LOCAL | Self::GLOBAL | Self::NODELETE;
        if raw & !known != 0 {
            return Err(BadFlags::Unknown(raw & !known));
        }
        if raw & (Self::LAZY | Self::NOW) == 0 {
            return Err(BadFlags::NoTime(raw));
        }
        Ok(Self {
            global: raw & Self::GLOBAL != 0,
            noload: raw & Self::NOLOAD != 0,
            nodelete: raw & Self::NODELETE != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_is_not_zero_on_wasi() {
        assert_eq!(OpenFlags::from_guest(2 | 8), Ok(OpenFlags::default()));
        assert!(OpenFlags::from_guest(2 | 256).is_ok_and(|flags| flags.global));
        assert_eq!(OpenFlags::from_guest(2 | 16), Err(BadFlags::Unknown(16)));
        assert_eq!(OpenFlags::from_guest(256), Err(BadFlags::NoTime(256)));
    }
}
