//! The time zone database, which the standard library leaves to the system: `/usr/share/zoneinfo` in the guest.
//!
//! There `zoneinfo` finds it, libc for `TZ`, and every package that looks where Unix keeps it. Half of its names are links to
//! other names; the image holds each content once.

use std::path::{Path, PathBuf};

use pymode_toolchain::Key;
use pymode_toolchain::archive::unpack;
use pymode_toolchain::pypi::PinnedWheel;

use crate::context::BuildContext;
use crate::error::Error;
use crate::files::{read, walk};

/// The database as PyPI has it, compiled.
const WHEEL: PinnedWheel = PinnedWheel {
    name: "tzdata",
    version: "2026.6",
    sha256: &["0a10eec6e13ef16b627fabed9a5f2ba61a62b1c67f327305f4e7e412a70b4aec"],
};

/// Directory of the database in the image.
pub(crate) const DIRECTORY: &str = "usr/share/zoneinfo";

/// First bytes of a compiled zone. The other files are tables and Python.
const MAGIC: &[u8] = b"TZif";

/// The unpacked database.
#[derive(Clone, Debug)]
pub(crate) struct TimeZones {
    pub(crate) key: Key,
    dir: PathBuf,
}

pub(crate) fn provision(context: &BuildContext<'_>) -> Result<TimeZones, Error> {
    let key = Key::new("tzdata")
        .field("version", WHEEL.version)
        .field("wheels", WHEEL.sha256.join(","));
    let dir = context.cache.entry("sources", &key, |dir| {
        let wheel = WHEEL
            .fetch(context.cache, context.reporter)
            .map_err(pymode_toolchain::Error::from)?;
        Ok::<_, Error>(unpack(&wheel, dir)?)
    })?;
    Ok(TimeZones {
        key,
        dir: dir.join("tzdata/zoneinfo"),
    })
}

impl TimeZones {
    /// Each zone's name, such as `Europe/Berlin`, and its compiled form.
    pub(crate) fn zones(&self) -> Result<Vec<(PathBuf, Vec<u8>)>, Error> {
        let mut zones = Vec::new();
        for name in walk(&self.dir)?.files {
            let bytes = read(&self.dir.join(&name))?;
            if is_zone(&name, &bytes) {
                zones.push((name, bytes));
            }
        }
        Ok(zones)
    }
}

fn is_zone(name: &Path, bytes: &[u8]) -> bool {
    name.extension().is_none() && bytes.starts_with(MAGIC)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_zone;

    #[test]
    fn zones_come_from_tables_and_from_python() {
        assert!(is_zone(Path::new("America/Argentina/Salta"), b"TZif2\0"));
        assert!(!is_zone(Path::new("Europe/__init__.py"), b""));
        assert!(!is_zone(Path::new("leapseconds"), b"# Leap"));
    }
}
