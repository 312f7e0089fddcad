//! Objects that are known by what was compiled: the text behind the preprocessor, and the flags.
//!
//! zig keeps objects, too, but for zig a source that is unpacked again is another source, even with the same content.

use std::fs;
use std::path::{Path, PathBuf};

use super::args::Language;
use super::driver::{CcError, Driver};
use super::preprocessed::{Preprocessed, without_macros};
use crate::cache::CacheError;
use crate::key::Key;

const OBJECT: &str = "object.o";
const NOTES: &str = "notes.txt";

/// Ways to include a file's contents that the preprocessor leaves to the compiler.
const READ_LATER: &[&str] = &["#embed", ".incbin", "-include-pch"];

/// An object that may be there already.
pub(super) struct Known {
    key: Key,
    target: PathBuf,
}

impl Driver {
    /// The object of a source, if its text and flags say all about it, and if it goes into a file of its own.
    pub(super) fn known(
        &self,
        source: &Preprocessed,
        compile: &[String],
        output: &[&str],
    ) -> Option<Known> {
        let ["-o", target] = output else { return None };
        let flags = without_macros(compile).join("\n");
        if READ_LATER
            .iter()
            .any(|word| source.text.contains(word) || flags.contains(word))
        {
            return None;
        }
        let language = if source.is_cxx {
            Language::Cxx
        } else {
            Language::C
        };
        let key = Key::new("object")
            .key("cc", &super::key())
            .field("language", language.tool())
            .field("words", flags)
            .field("source", &source.text);
        Some(Known {
            key,
            target: PathBuf::from(target),
        })
    }

    /// Copies the object to where it is wanted, if it is there. Returns the notes about it.
    pub(super) fn recall(&self, known: &Known) -> Result<Option<String>, CcError> {
        let Some(dir) = self.cache().get("objects", &known.key) else {
            return Ok(None);
        };
        copy(&dir.join(OBJECT), &known.target)?;
        let notes = dir.join(NOTES);
        Ok(Some(
            fs::read_to_string(&notes).map_err(CacheError::io("read", &notes))?,
        ))
    }

    /// Keeps the object that was made, with the notes about it.
    pub(super) fn keep(&self, known: &Known, notes: &str) -> Result<(), CcError> {
        self.cache().entry("objects", &known.key, |dir| {
            copy(&known.target, &dir.join(OBJECT))?;
            let file = dir.join(NOTES);
            fs::write(&file, notes).map_err(CacheError::io("write", &file))
        })?;
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), CacheError> {
    fs::copy(from, to).map_err(CacheError::io("copy", from))?;
    Ok(())
}
