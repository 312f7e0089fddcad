//! One module of a bundle.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::CacheError;

/// One module of a bundle.
#[derive(Debug, Clone)]
pub struct Module {
    /// By which other modules import it.
    pub name: String,
    /// How the runtime is to take it.
    pub kind: Kind,
    /// What it belongs to, for people: `standard library`.
    pub what: String,
    content: Content,
}

/// How a runtime takes a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
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

/// How a bundle's files come to where they are to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// As links where that is possible: for those who only read.
    Link,
    /// As files of their own.
    Copy,
}

/// What the Worker's own modules are called, for people.
pub(crate) const OURS: &str = "pymode";

impl Module {
    /// A module with this content.
    pub fn bytes(name: &str, kind: Kind, bytes: Vec<u8>) -> Module {
        Module {
            name: name.into(),
            kind,
            what: OURS.into(),
            content: Content::Bytes(bytes),
        }
    }

    /// A module with the content of a file.
    pub fn file(name: &str, kind: Kind, path: &Path) -> Module {
        Module {
            name: name.into(),
            kind,
            what: OURS.into(),
            content: Content::File(path.to_path_buf()),
        }
    }

    pub(crate) fn entry(text: String) -> Module {
        Module::bytes("entry.js", Kind::Script, text.into())
    }

    /// The same, as belonging to something.
    pub(crate) fn of(self, what: &str) -> Module {
        Module {
            what: what.into(),
            ..self
        }
    }

    /// What it consists of.
    pub(crate) fn content(&self) -> Result<Cow<'_, [u8]>, CacheError> {
        match &self.content {
            Content::Bytes(bytes) => Ok(bytes.into()),
            Content::File(path) => Ok(fs::read(path).map_err(CacheError::io("read", path))?.into()),
        }
    }

    pub(crate) fn write(&self, dir: &Path, place: Place) -> Result<(), CacheError> {
        let to = dir.join(&self.name);
        let parent = to.parent().unwrap_or(dir);
        fs::create_dir_all(parent).map_err(CacheError::io("create", parent))?;
        match &self.content {
            Content::Bytes(bytes) => fs::write(&to, bytes).map_err(CacheError::io("write", &to)),
            Content::File(from) if place == Place::Link && fs::hard_link(from, &to).is_ok() => {
                Ok(())
            }
            Content::File(from) => {
                fs::copy(from, &to).map_err(CacheError::io("write", &to))?;
                Ok(())
            }
        }
    }
}
