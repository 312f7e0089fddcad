//! One module of a bundle.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use pymode_bundle::names::file;
use pymode_toolchain::CacheError;

use crate::symbols::called;

/// One module of a bundle.
#[derive(Debug, Clone)]
pub struct Module {
    /// Name by which other modules import it.
    pub name: String,
    /// Type for the runtime.
    pub kind: ModuleKind,
    /// Purpose for reports, such as `standard library`.
    pub what: String,
    /// New name for the module's name section.
    called: Option<String>,
    content: Content,
}

/// The type of a module for the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleKind {
    /// A JavaScript module.
    Script,
    /// WebAssembly, compiled by the runtime.
    Wasm,
    /// Bytes.
    Data,
}

#[derive(Debug, Clone)]
enum Content {
    File(PathBuf),
    Bytes(Vec<u8>),
}

/// The way of writing a bundle's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// As hard links where possible: for readers.
    Link,
    /// As copies.
    Copy,
}

/// Name of the Worker's own modules in reports.
pub(crate) const OURS: &str = "pymode";

impl Module {
    /// Creates a module with this content.
    pub fn bytes(name: &str, kind: ModuleKind, bytes: Vec<u8>) -> Module {
        Module {
            name: name.into(),
            kind,
            what: OURS.into(),
            called: None,
            content: Content::Bytes(bytes),
        }
    }

    /// Creates a module with the content of a file.
    pub fn file(name: &str, kind: ModuleKind, path: &Path) -> Module {
        Module {
            name: name.into(),
            kind,
            what: OURS.into(),
            called: None,
            content: Content::File(path.to_path_buf()),
        }
    }

    pub(crate) fn entry(text: String) -> Module {
        Module::bytes(file::ENTRY, ModuleKind::Script, text.into())
    }

    /// Sets the purpose for reports.
    pub(crate) fn of(self, what: &str) -> Module {
        Module {
            what: what.into(),
            ..self
        }
    }

    /// Sets the name in the name section to the file's name, which V8 then shows in stack traces.
    pub(crate) fn called_by_its_name(self) -> Module {
        let name = self.name.trim_end_matches(".wasm").to_owned();
        Module {
            called: Some(name),
            ..self
        }
    }

    /// Returns the new name for the name section.
    pub(crate) fn called(&self) -> Option<&str> {
        self.called.as_deref()
    }

    /// Returns the content.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn content(&self) -> Result<Cow<'_, [u8]>, CacheError> {
        let content: Cow<'_, [u8]> = match &self.content {
            Content::Bytes(bytes) => bytes.into(),
            Content::File(path) => fs::read(path).map_err(CacheError::io("read", path))?.into(),
        };
        Ok(match &self.called {
            Some(name) => called(&content, name).into_owned().into(),
            None => content,
        })
    }

    pub(crate) fn write(&self, dir: &Path, place: WriteMode) -> Result<(), CacheError> {
        let to = dir.join(&self.name);
        let parent = to.parent().unwrap_or(dir);
        fs::create_dir_all(parent).map_err(CacheError::io("create", parent))?;
        match &self.content {
            Content::File(from)
                if self.called.is_none()
                    && place == WriteMode::Link
                    && fs::hard_link(from, &to).is_ok() =>
            {
                Ok(())
            }
            Content::File(from) if self.called.is_none() => {
                fs::copy(from, &to).map_err(CacheError::io("write", &to))?;
                Ok(())
            }
            _ => fs::write(&to, self.content()?).map_err(CacheError::io("write", &to)),
        }
    }
}
