//! A preprocessed source.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::driver::{CcError, Driver, is_cxx_source};
use crate::cache::CacheError;

/// The text of a source, without a trace of the files that it was put together from.
pub(super) struct Preprocessed {
    pub(super) text: String,
    pub(super) is_cxx: bool,
    files: Vec<IncludedFile>,
    /// For each line of the text its file, and its line there.
    lines: Vec<(usize, usize)>,
}

struct IncludedFile {
    path: String,
    /// The compiler's, libc's, or Python's, as opposed to the project's.
    is_of_the_system: bool,
}

impl Preprocessed {
    /// Takes the marks of files and lines out of what the preprocessor wrote.
    fn parse(marked: &str, file: &str, is_cxx: bool) -> Self {
        // In a raw string of C++ an empty line means something.
        let keeps_blanks = is_cxx && marked.contains("R\"");
        let mut files = vec![IncludedFile {
            path: file.to_owned(),
            is_of_the_system: false,
        }];
        let (mut text, mut lines) = (String::with_capacity(marked.len()), Vec::new());
        let mut now = (0, 1);
        for line in marked.lines() {
            if let Some(mark) = Mark::parse(line) {
                let found = files.iter().position(|known| known.path == mark.path);
                let index = found.unwrap_or_else(|| {
                    files.push(IncludedFile {
                        path: mark.path.clone(),
                        is_of_the_system: mark.is_of_the_system,
                    });
                    files.len() - 1
                });
                now = (index, mark.line);
                continue;
            }
            if keeps_blanks || !line.trim().is_empty() {
                text.push_str(line);
                text.push('\n');
                lines.push(now);
            }
            now.1 += 1;
        }
        let python = files
            .iter()
            .find_map(|file| file.path.strip_suffix("Python.h"))
            .filter(|dir| dir.ends_with('/'))
            .map(str::to_owned);
        for file in &mut files {
            let is_pythons = |dir: &String| file.path.starts_with(dir);
            file.is_of_the_system |= python.as_ref().is_some_and(is_pythons);
        }
        Self {
            text,
            is_cxx,
            files,
            lines,
        }
    }

    /// The file and the line, from 1, that a line of the text, from 0, comes from.
    pub(super) fn place(&self, line: usize) -> Option<(&str, usize)> {
        let (file, line) = self.lines.get(line)?;
        Some((&self.files[*file].path, *line))
    }

    /// The words of all that is the project's own.
    pub(super) fn own_words(&self) -> impl Iterator<Item = &str> {
        self.text
            .lines()
            .zip(&self.lines)
            .filter(|(_, (file, _))| !self.files[*file].is_of_the_system)
            .flat_map(|(line, _)| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
    }
}

/// `# 12 "path" 1 3`: the next line is line 12 of that file.
struct Mark {
    line: usize,
    path: String,
    is_of_the_system: bool,
}

impl Mark {
    fn parse(line: &str) -> Option<Self> {
        let (line, rest) = line.strip_prefix("# ")?.split_once(" \"")?;
        let (path, flags) = rest.rsplit_once('"')?;
        Some(Self {
            line: line.parse().ok()?,
            path: path.replace("\\\"", "\"").replace("\\\\", "\\"),
            is_of_the_system: flags.split_whitespace().any(|flag| flag == "3"),
        })
    }
}

impl Driver {
    /// Preprocesses a source that is to be compiled; none for assembly, and for a source with errors: the compilation reports
    /// them.
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
            .args(without(compile, &["-c", "-P"]))
            .args(["-E", file, "-o"])
            .arg(&path);
        if !quietly(preprocess)? {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).ok();
        Ok(text.map(|text| Preprocessed::parse(&text, file, is_cxx)))
    }
}

/// Runs a command without output. Returns true if it succeeds.
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

/// Returns the words without some of them.
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
    use super::{Preprocessed, without_macros};

    #[test]
    fn each_line_has_its_place() {
        let marked = "# 1 \"a.c\"\n# 1 \"<built-in>\" 1\n# 1 \"/p/Python.h\" 1\nint getter;\n# 1 \"/p/x/y.h\" 1\n\nint setter;\n# 1 \"/s.h\" 1 3\nint z;\n# 3 \"a.c\" 2\n\nint f;\n";
        let source = Preprocessed::parse(marked, "a.c", false);
        assert_eq!(source.text, "int getter;\nint setter;\nint z;\nint f;\n");
        assert_eq!(source.place(1), Some(("/p/x/y.h", 2)));
        assert_eq!(source.place(3), Some(("a.c", 4)));
        assert_eq!(source.place(4), None);
        assert_eq!(source.own_words().collect::<Vec<_>>(), ["int", "f", ""]);
        let raw = "# 1 \"a.cc\"\nR\"(\n\n)\"\n";
        assert_eq!(Preprocessed::parse(raw, "a.cc", true).text, "R\"(\n\n)\"\n");
    }

    #[test]
    fn a_preprocessed_text_needs_no_preprocessor() {
        let words = "-O2 -Ia -DNDEBUG -I b -MD -MF x.d -include c.h -fno-math-errno -c";
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        assert_eq!(without_macros(&words), ["-O2", "-fno-math-errno", "-c"]);
    }
}
