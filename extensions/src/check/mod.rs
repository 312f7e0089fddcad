//! `pymode ext check`: whether a side module, or a wheel full of them, will load. Every fault is listed.

mod hint;
mod module;
mod nearby;
mod warning;
mod wheel;

use std::fmt;
use std::path::Path;

use pymode_toolchain::{Cache, CacheError, Reporter, libcxx, zig};

use crate::error::Error;
use crate::wheel::Wheel;

pub(crate) use hint::hint as hint_for;
use module::Needs;
pub(crate) use module::exports;
pub(crate) use warning::warnings;
pub(crate) use wheel::check_wheel;

/// What is wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The file: a path, or a path in a wheel.
    pub what: String,
    /// What is wrong with it, each as a sentence, with hints on lines of their own; none is well.
    pub faults: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_well(&self) -> bool {
        self.faults.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.len() {
            0 => return write!(f, "{}: well", self.what),
            1 => write!(f, "{}: 1 fault", self.what)?,
            n => write!(f, "{}: {n} faults", self.what)?,
        }
        for fault in &self.faults {
            write!(f, "\n  - {}", fault.replace('\n', "\n    "))?;
        }
        Ok(())
    }
}

/// Checks a wheel or a side module on disk: one report for each file that was looked at.
///
/// # Errors
/// When it cannot be read. What is wrong inside is no error but a fault.
pub fn check(path: &Path) -> Result<Vec<Report>, Error> {
    let find = |name: &str| {
        // Only a module that needs one of them pays for looking.
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
        |place| {
            Ok(Path::new(place)
                .is_file()
                .then(|| read(Path::new(place)))
                .transpose()?)
        },
        &find,
    )?;
    let faults = module::check(&name, &wasm, &needs, &nearby::on_disk);
    Ok(vec![Report {
        what: path.display().to_string(),
        faults,
    }])
}

/// A library, or that there is none of this name.
pub(crate) type Found = Result<Option<Vec<u8>>, Error>;

/// A library that every host has, by the name that modules need it by.
pub(crate) fn provided(cache: &Cache, reporter: &Reporter, name: &str) -> Found {
    if name != libcxx::MODULE {
        return Ok(None);
    }
    let path = libcxx::provision(cache, reporter, &zig::provision(cache, reporter)?)?.module();
    Ok(Some(
        std::fs::read(&path).map_err(CacheError::io("read", &path))?,
    ))
}
