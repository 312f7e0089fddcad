//! The compilation of one source, with [`casts`](super::casts) adapted where there are any.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::casts;
use super::driver::{CcError, Driver, Ended, is_cxx_source};
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
        if let Some(adapted) = self.adapted(file, compile)? {
            let mut command = self.compiler(Some(file));
            // What is wrong with the source, the compilation of the source itself says better.
            command
                .args(without_macros(&without_dependencies(compile)))
                .args(["-undef", "-w"])
                .arg(&adapted.source)
                .args(output);
            let names = adapted.casts.join("`, `");
            if quietly(command)? {
                eprintln!(
                    "pymode cc: note: {file}: `{names}`: an adapter drops the parameters that the function does not take"
                );
                return Ok(Ended::WELL);
            }
            eprintln!(
                "pymode cc: note: {file}: `{names}`: called with parameters that the function does not take, which is a trap"
            );
        }
        let mut command = self.compiler(Some(file));
        command.args(compile).arg(file).args(output);
        self.status(command)
    }

    /// The source with adapters, if it needs any. What was found out about a source is kept.
    fn adapted(&self, file: &str, compile: &[String]) -> Result<Option<Adapted>, CcError> {
        let is_cxx = is_cxx_source(file) || self.is_cxx();
        let wanted = compile.iter().any(|word| word == "-c") && casts_may_be_in(Path::new(file));
        if !wanted {
            return Ok(None);
        }
        let scratch =
            tempfile::tempdir().map_err(CacheError::io("create", &std::env::temp_dir()))?;
        // Not `.i`: zig compiles preprocessed files anew each time, and keeps what it has made of others.
        let name = if is_cxx { "source.cc" } else { "source.c" };
        let text = scratch.path().join(name);
        let flags = without(compile, &["-c"]);
        let mut preprocess = self.compiler(Some(file));
        // Flags about dependencies stay: what is compiled later includes nothing any more.
        preprocess
            .args(&flags)
            .args(["-E", "-P", file, "-o"])
            .arg(&text);
        if !quietly(preprocess)? {
            return Ok(None);
        }
        let Ok(source) = fs::read_to_string(&text) else {
            return Ok(None);
        };
        let source = slots::typed(&source);
        write(&text, &source)?;
        let flags = without_dependencies(&flags);
        let key = Key::new("casts")
            .field("zig", zig::VERSION)
            .field("recipe", include_str!("casts.rs"))
            .field("slots", include_str!("slots.rs"))
            .field("name", name)
            .field("flags", flags.join(" "))
            .field("source", &source);
        let dir = self.cache().entry("casts", &key, |dir| {
            let mut find = self.compiler(Some(file));
            find.args(without_macros(&flags))
                .arg("-undef")
                .args(casts::FIND)
                .arg(&text);
            let said = find
                .stdin(Stdio::null())
                .output()
                .map_err(CacheError::io("start zig for", &text))?;
            let said = String::from_utf8_lossy(&said.stderr);
            if let Some((adapted, originals)) = casts::adapted(&source, &said, is_cxx) {
                write(&dir.join(name), &adapted)?;
                write(&dir.join(CASTS), &originals.join("\n"))?;
            }
            Ok::<_, CacheError>(())
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

/// Runs it without a word; whether it ended well.
fn quietly(mut command: Command) -> Result<bool, CcError> {
    let exe = PathBuf::from(command.get_program());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map(|status| status.success())
        .map_err(|source| CcError::Start { exe, source })
}

fn without(words: &[String], these: &[&str]) -> Vec<String> {
    let stays = |word: &&String| !these.contains(&word.as_str());
    words.iter().filter(stays).cloned().collect()
}

/// The flags, without those that write a file of dependencies.
fn without_dependencies(words: &[String]) -> Vec<String> {
    let mut rest = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-MD" | "-MMD" | "-MP" | "-MG" => {}
            "-MF" | "-MT" | "-MQ" => drop(words.next()),
            _ => rest.push(word.clone()),
        }
    }
    rest
}

/// The flags, without those for a preprocessor: the text has seen one.
fn without_macros(words: &[String]) -> Vec<String> {
    let mut rest = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-D" | "-U" | "-include" | "-imacros" | "-I" | "-isystem" | "-iquote"
            | "-idirafter" => drop(words.next()),
            _ if word.starts_with("-D") || word.starts_with("-U") || word.starts_with("-I") => {}
            _ => rest.push(word.clone()),
        }
    }
    rest
}

fn write(path: &Path, text: &str) -> Result<(), CacheError> {
    fs::write(path, text).map_err(CacheError::io("write", path))
}
