//! A source behind the preprocessor.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::driver::{CcError, Driver, is_cxx_source};
use crate::cache::CacheError;

/// The text of a source, without a trace of the files that it was put together from.
pub(super) struct Preprocessed {
    pub(super) text: String,
    pub(super) is_cxx: bool,
}

impl Driver {
    /// Preprocesses a source that is to be compiled; none for assembly, and for what does not get through: the compilation says
    /// why.
    pub(super) fn preprocessed(
        &self,
        file: &str,
        compile: &[String],
    ) -> Result<Option<Preprocessed>, CcError> {
        let is_cxx = is_cxx_source(file) || self.is_cxx();
        let is_plain = is_cxx_source(file) || file.ends_with(".c");
        if !is_plain || !compile.iter().any(|word| word == "-c") {
            return Ok(None);
        }
        let scratch =
            tempfile::tempdir().map_err(CacheError::io("create", &std::env::temp_dir()))?;
        let path = scratch.path().join("source");
        let mut preprocess = self.compiler(Some(file));
        // Flags about dependencies stay: an object that is known already needs them as well.
        preprocess
            .args(without(compile, &["-c"]))
            .args(["-E", "-P", file, "-o"])
            .arg(&path);
        if !quietly(preprocess)? {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).ok();
        Ok(text.map(|text| Preprocessed { text, is_cxx }))
    }
}

/// Runs it without a word; whether it ended well.
pub(super) fn quietly(mut command: Command) -> Result<bool, CcError> {
    let exe = PathBuf::from(command.get_program());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map(|status| status.success())
        .map_err(|source| CcError::Start { exe, source })
}

/// The words, without some.
pub(super) fn without(words: &[String], these: &[&str]) -> Vec<String> {
    let stays = |word: &&String| !these.contains(&word.as_str());
    words.iter().filter(stays).cloned().collect()
}

/// The flags for a text that is preprocessed: without macros and directories, and without those that write a file of
/// dependencies.
pub(super) fn without_macros(words: &[String]) -> Vec<String> {
    let mut rest = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-MD" | "-MMD" | "-MP" | "-MG" => {}
            "-MF" | "-MT" | "-MQ" | "-D" | "-U" | "-include" | "-imacros" | "-I" | "-isystem"
            | "-iquote" | "-idirafter" => drop(words.next()),
            _ if ["-D", "-U", "-I"].iter().any(|flag| word.starts_with(flag)) => {}
            _ => rest.push(word.clone()),
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::without_macros;

    #[test]
    fn a_preprocessed_text_needs_no_preprocessor() {
        let words = "-O2 -Ia -DNDEBUG -I b -MD -MF x.d -include c.h -fno-math-errno -c";
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        assert_eq!(without_macros(&words), ["-O2", "-fno-math-errno", "-c"]);
    }
}
