//! The compilation of one source, with [`casts`](super::casts) adapted where there are any.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::casts;
use super::driver::{CcError, Driver, Ended};
use super::preprocessed::{Preprocessed, quietly, without, without_macros};
use super::slots;
use crate::cache::CacheError;
use crate::key::Key;
use crate::zig;

/// A source in which each cast has its adapter.
struct Adapted {
    source: PathBuf,
    casts: Vec<String>,
}

const CASTS: &str = "casts.txt";

impl Driver {
    /// Compiles one source to one object: `compile` are the flags, `-c` among them.
    pub(super) fn object(
        &self,
        file: &str,
        compile: &[String],
        output: &[&str],
    ) -> Result<Ended, CcError> {
        let Some(source) = self.preprocessed(file, compile)? else {
            return self.plain_object(file, compile, output);
        };
        let known = self.known(&source, compile, output);
        if let Some(known) = &known
            && self.recall(known)?
        {
            return Ok(Ended::WELL);
        }
        let (ended, note) = self.new_object(file, compile, output, &source)?;
        eprint!("{note}");
        if let Some(known) = &known
            && ended.well()
        {
            self.keep(known, &note)?;
        }
        Ok(ended)
    }

    /// Compiles it, with adapters if it needs any; how that ended, and what is to be said of it.
    fn new_object(
        &self,
        file: &str,
        compile: &[String],
        output: &[&str],
        source: &Preprocessed,
    ) -> Result<(Ended, String), CcError> {
        let Some(adapted) = self.adapted(file, compile, source)? else {
            return Ok((self.plain_object(file, compile, output)?, String::new()));
        };
        let names = adapted.casts.join("`, `");
        let mut command = self.compiler(Some(file));
        // What is wrong with the source, the compilation of the source itself says better.
        command
            .args(without_macros(compile))
            .args(["-undef", "-w"])
            .arg(&adapted.source)
            .args(output);
        let (ended, done) = if quietly(command)? {
            let done = "an adapter drops the parameters that the function does not take";
            (Ended::WELL, done)
        } else {
            let done = "called with parameters that the function does not take, which is a trap";
            (self.plain_object(file, compile, output)?, done)
        };
        Ok((
            ended,
            format!("pymode cc: note: {file}: `{names}`: {done}\n"),
        ))
    }

    fn plain_object(
        &self,
        file: &str,
        compile: &[String],
        output: &[&str],
    ) -> Result<Ended, CcError> {
        let mut command = self.compiler(Some(file));
        command.args(compile).arg(file).args(output);
        self.status(command)
    }

    /// The source with adapters, if it needs any. What was found out about a source is kept.
    fn adapted(
        &self,
        file: &str,
        compile: &[String],
        source: &Preprocessed,
    ) -> Result<Option<Adapted>, CcError> {
        if !casts_may_be_in(Path::new(file)) {
            return Ok(None);
        }
        // Not `.i`: zig compiles preprocessed files anew each time, and keeps what it has made of others.
        let name = if source.is_cxx {
            "source.cc"
        } else {
            "source.c"
        };
        let text = slots::typed(&source.text);
        let mut flags = without_macros(&without(compile, &["-c"]));
        // meson wants colours, and a line with colours in it is not read.
        flags.retain(|word| {
            !word.starts_with("-fdiagnostics-color") && word != "-fcolor-diagnostics"
        });
        let key = Key::new("casts")
            .field("zig", zig::VERSION)
            .field("recipe", include_str!("casts.rs"))
            .field("slots", include_str!("slots.rs"))
            .field("name", name)
            .field("flags", flags.join(" "))
            .field("source", &text);
        let dir = self.cache().entry("casts", &key, |dir| {
            let typed = dir.join(name);
            write(&typed, &text)?;
            let mut find = self.compiler(Some(file));
            find.args(&flags)
                .arg("-undef")
                .args(casts::FIND)
                .arg(&typed);
            let said = find
                .stdin(Stdio::null())
                .output()
                .map_err(CacheError::io("start zig for", &typed))?;
            let said = String::from_utf8_lossy(&said.stderr);
            match casts::adapted(&text, &said, source.is_cxx) {
                Some((adapted, originals)) => {
                    write(&typed, &adapted)?;
                    write(&dir.join(CASTS), &originals.join("\n"))
                }
                None => fs::remove_file(&typed).map_err(CacheError::io("delete", &typed)),
            }
        })?;
        let casts = fs::read_to_string(dir.join(CASTS)).ok();
        Ok(casts.map(|casts| Adapted {
            source: dir.join(name),
            casts: casts.lines().map(str::to_owned).collect(),
        }))
    }
}

fn casts_may_be_in(file: &Path) -> bool {
    fs::read(file).is_ok_and(|text| casts::may_be_in(&String::from_utf8_lossy(&text)))
}

fn write(path: &Path, text: &str) -> Result<(), CacheError> {
    fs::write(path, text).map_err(CacheError::io("write", path))
}
