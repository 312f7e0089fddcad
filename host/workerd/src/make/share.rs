//! The size of a bundle by purpose.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use pymode_toolchain::CacheError;

use crate::bundle::{Bundle, Module};

impl Bundle {
    /// Returns its size by purpose.
    ///
    /// # Errors
    /// When a module cannot be read.
    pub fn shares(&self) -> Result<Vec<Share>, CacheError> {
        of(&self.modules)
    }
}

/// Size of a bundle's part for one purpose, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Name in reports.
    pub what: String,
    /// Size in the bundle.
    pub raw: u64,
    /// Size after gzip of each module.
    pub gzipped: u64,
}

/// Returns the modules' sizes by purpose, in their order.
fn of(modules: &[Module]) -> Result<Vec<Share>, CacheError> {
    let mut shares: Vec<Share> = Vec::new();
    for module in modules {
        let bytes = module.content()?;
        let (raw, gzipped) = (bytes.len() as u64, gzipped(&bytes));
        match shares.iter_mut().find(|share| share.what == module.what) {
            Some(share) => {
                share.raw += raw;
                share.gzipped += gzipped;
            }
            None => shares.push(Share {
                what: module.what.clone(),
                raw,
                gzipped,
            }),
        }
    }
    Ok(shares)
}

fn gzipped(bytes: &[u8]) -> u64 {
    let mut encoder = GzEncoder::new(Count(0), Compression::default());
    // The counting writer cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().map_or(0, |count| count.0)
}

struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
