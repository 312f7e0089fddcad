//! `pymode ext check`: checks that a side module, or every side module in a wheel, will load. Lists every violation.

mod hint;
mod module;
mod nearby;
mod wheel;

use std::fmt;
use std::path::Path;

use pymode_toolchain::{Cache, CacheError, Reporter, libcxx, zig};

use crate::error::Error;
use crate::wheel::Wheel;

pub(crate) use hint::hint as hint_for;
use module::Needs;
pub(crate) use module::exports;
pub(crate) use wheel::check_wheel;

/// Violations of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Path of the file, or its path in a wheel.
    pub what: String,
    /// Violations, each a sentence with hints on lines of their own. Empty if the file is valid.
    pub violations: Vec<String>,
}

impl Report {
    /// Returns `true` if the file has no violation.
    pub fn is_valid(&self) -> bool {
        self.violations.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.violations.len() {
            0 => return write!(f, "{}: valid", self.what),
            1 => write!(f, "{}: 1 violation", self.what)?,
            n => write!(f, "{}: {n} violations", self.what)?,
        }
        for violation in &self.violations {
            write!(f, "\n  - {}", violation.replace('\n', "\n    "))?;
        }
        Ok(())
    }
}

/// Checks a wheel or a side module on disk. Returns one report for each file.
///
/// # Errors
/// When the file cannot be read. Invalid content is a violation, not an error.
pub fn check(path: &Path) -> Result<Vec<Report>, Error> {
    let find = |name: &str| {
        // Only a module that needs one of them pays for the search.
        let reporter = Reporter::stderr();
        provided(&Cache::open()?.with_reporter(&reporter), &reporter, name)
    };
    if path.extension().is_some_and(|ext| ext == "whl") {
        return check_wheel(&Wheel::at(path)?, &find);
    }
    let read = |path: &Path| std::fs::read(path).map_err(CacheError::io("read", path));
    let wasm = read(path)?;
    let dir = path.parent().unwrap_or(Path::new(".")).to_string_lossy();
    let name = path.to_string_lossy();
    let needs = Needs::of(
        &wasm,
        &dir,
        |path| {
            Ok(Path::new(path)
                .is_file()
                .then(|| read(Path::new(path)))
                .transpose()?)
        },
        &find,
    )?;
    let violations = module::check(&name, &wasm, &needs, &nearby::on_disk);
    Ok(vec![Report {
        what: path.display().to_string(),
        violations,
    }])
}

/// A library that every host has. `None` if there is none of the name.
pub(crate) type HostLibrary = Result<Option<Vec<u8>>, Error>;

/// Finds a library that every host has, by the name in a module's NEEDED list.
pub(crate) fn provided(cache: &Cache, reporter: &Reporter, name: &str) -> HostLibrary {
    if name != libcxx::MODULE {
        return Ok(None);
    }
    let path = libcxx::provision(cache, reporter, &zig::provision(cache, reporter)?)?.module();
    Ok(Some(
        std::fs::read(&path).map_err(CacheError::io("read", &path))?,
    ))
}
