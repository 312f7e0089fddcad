//! A bundle: the modules of a Worker. [`crate::make`] makes it, and [`crate::serve`] serves it.

use std::path::Path;

use pymode_toolchain::CacheError;

pub use crate::module::{Module, ModuleKind, WriteMode};

/// The date of the runtime's behaviour. From this date on, modules are compiled when they are first imported.
pub(crate) const COMPATIBILITY_DATE: &str = "2026-11-17";

/// A Worker: its modules, and its Durable Object's class.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// The first is the entry.
    pub(crate) modules: Vec<Module>,
    /// Class of the Durable Object, if it has one.
    pub(crate) object: Option<&'static str>,
    /// The entry without its handler.
    pub(crate) body: String,
    /// Import errors of the side modules that cannot be loaded.
    pub(crate) unloadable: Vec<String>,
}

impl Bundle {
    /// Creates a Worker from modules, without a Durable Object. The first is the entry.
    pub fn of(modules: Vec<Module>) -> Bundle {
        Bundle {
            modules,
            ..Bundle::default()
        }
    }

    /// Adds a Durable Object of this class, which the Worker finds as `env.PYTHON`.
    #[must_use]
    pub fn with_object(mut self, class: &'static str) -> Bundle {
        self.object = Some(class);
        self
    }

    /// Returns the modules. The first is the entry.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// Returns the import errors of the side modules that cannot be loaded.
    #[must_use]
    pub fn unloadable(&self) -> &[String] {
        &self.unloadable
    }

    /// Returns the module with this name in its name section.
    pub(crate) fn called(&self, name: &str) -> Option<&Module> {
        self.modules
            .iter()
            .find(|module| module.called() == Some(name))
    }

    /// Writes all modules into a directory.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(&self, dir: &Path, place: WriteMode) -> Result<(), CacheError> {
        self.modules
            .iter()
            .try_for_each(|module| module.write(dir, place))
    }
}
