//! The compilation of one source, with adapters for the functions that are called as another type.

mod adapter;
mod calls;
mod casts;
mod edits;
mod expression;
mod known;
mod report;
mod signature;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::driver::{CcError, Driver, ToolExit};
use super::preprocessed::{Preprocessed, quietly, without, without_macros};
use crate::cache::CacheError;
use crate::key::Key;
use casts::Casts;
use edits::Edits;
use report::CastReport;

/// The casts of a source.
struct Adapted {
    /// The source with its adapters, if it has any.
    source: Option<PathBuf>,
    functions: Vec<String>,
    /// One of them has no cast, which compilers reject.
    has_implicit: bool,
    /// Lines of the preprocessed text, and what is wrong there.
    problems: Vec<(usize, String)>,
}

const FUNCTIONS: &str = "functions.txt";
const PROBLEMS: &str = "problems.txt";
const IMPLICIT: &str = "implicit";

/// The number of rounds in which adapters with errors are removed. The first finds nearly all: each adapter has its own errors.
const ROUNDS: usize = 4;

impl Driver {
    /// Compiles one source to one object: `compile` are the flags, `-c` among them.
    pub(super) fn object(
        &self,
        file: &str,
        compile: &[String],
        output: &[&str],
    ) -> Result<ToolExit, CcError> {
        let Some(source) = self.preprocessed(file, compile)? else {
            return self.plain_object(file, compile, output);
        };
        let known = self.known(&source, compile, output);
        if let Some(known) = &known
            && let Some(notes) = self.recall(known)?
        {
            print(file, &source, &notes);
            return Ok(ToolExit::WELL);
        }
        let (ended, notes) = self.new_object(file, compile, output, &source)?;
        print(file, &source, &notes);
        if let Some(known) = &known
            && ended.well()
        {
            self.keep(known, &notes)?;
        }
        Ok(ended)
    }

    /// Compiles it, with adapters if it needs any; how that ended, and the notes about it: each a line, with the line of the
    /// preprocessed text before it, if it is about one.
    fn new_object(
        &self,
        file: &str,
        compile: &[String],
        output: &[&str],
        source: &Preprocessed,
    ) -> Result<(ToolExit, String), CcError> {
        let adapted = self.adapted(file, compile, source)?;
        let mut notes = String::new();
        for (line, problem) in &adapted.problems {
            notes.push_str(&format!("{line}\t{problem}\n"));
        }
        let Some(text) = &adapted.source else {
            return Ok((self.plain_object(file, compile, output)?, notes));
        };
        if adapted.has_implicit {
            let ended = self.plain_object(file, compile, output)?;
            if !ended.well() {
                return Ok((ended, notes));
            }
        }
        let names = adapted.functions.join("`, `");
        let mut command = self.compiler(Some(file));
        // The compilation of the source itself reports errors in it with better places.
        command
            .args(without_macros(compile))
            .args(["-undef", "-w"])
            .arg(text)
            .args(output);
        if quietly(command)? {
            notes.push_str(&format!(
                "\tadapters call `{names}` as what they are: they are called as another type\n"
            ));
            return Ok((ToolExit::WELL, notes));
        }
        notes.push_str(&format!(
            "\t`{names}` cannot be adapted to their callers: the adapters do not compile; the calls trap\n"
        ));
        Ok((self.plain_object(file, compile, output)?, notes))
    }

    fn plain_object(
        &self,
        file: &str,
        compile: &[String],
        output: &[&str],
    ) -> Result<ToolExit, CcError> {
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
    ) -> Result<Adapted, CcError> {
        if !source.own_words().any(known::is_a_sign) {
            return Ok(Adapted {
                source: None,
                functions: Vec::new(),
                has_implicit: false,
                problems: Vec::new(),
            });
        }
        // Not `.i`: zig compiles preprocessed files again each time, and caches the objects of others.
        let name = match source.is_cxx {
            true => "source.cc",
            false => "source.c",
        };
        let text = typed(source);
        let mut flags = without_macros(&without(compile, &["-c"]));
        // meson wants colours, and a line with colours in it is not read.
        flags.retain(|word| {
            !word.starts_with("-fdiagnostics-color") && word != "-fcolor-diagnostics"
        });
        let key = Key::new("casts")
            .key("cc", &super::key())
            .field("name", name)
            .field("flags", flags.join(" "))
            .field("source", &text);
        let dir = self.cache().entry("casts", &key, |dir| {
            let path = dir.join(name);
            let check = |text: &str, options: &[&str]| {
                write(&path, text)?;
                let mut check = self.compiler(Some(file));
                check.args(&flags).arg("-undef").args(options).arg(&path);
                let output = check.stdin(Stdio::null()).output();
                let output = output.map_err(CacheError::io("start zig for", &path))?;
                Ok::<_, CacheError>(String::from_utf8_lossy(&output.stderr).into_owned())
            };
            let reports = CastReport::parse_all(&text, &check(&text, report::FIND)?);
            let mut casts = Casts::new(&text, &reports, source.is_cxx);
            for _ in 0..ROUNDS {
                if casts.is_empty() {
                    break;
                }
                let adapted = casts.apply(&text, source.is_cxx);
                let errors = report::errors(&adapted.text, &check(&adapted.text, CHECK)?);
                if errors.is_empty() || !casts.without_errors(&adapted, &errors) {
                    break;
                }
            }
            match casts.is_empty() {
                true => fs::remove_file(&path).map_err(CacheError::io("delete", &path))?,
                false => write(&path, &casts.apply(&text, source.is_cxx).text)?,
            }
            if casts.has_implicit() {
                write(&dir.join(IMPLICIT), "")?;
            }
            write(&dir.join(FUNCTIONS), &casts.functions().join("\n"))?;
            let problems = casts.problems(&text);
            let problems: Vec<String> = problems
                .iter()
                .map(|(line, why)| format!("{line}\t{why}"))
                .collect();
            write(&dir.join(PROBLEMS), &problems.join("\n"))
        })?;
        let path = dir.join(name);
        let problem = |line: &str| {
            let (line, why) = line.split_once('\t')?;
            Some((line.parse().ok()?, why.to_owned()))
        };
        Ok(Adapted {
            source: path.is_file().then_some(path),
            functions: read(&dir.join(FUNCTIONS))?
                .lines()
                .map(str::to_owned)
                .collect(),
            has_implicit: dir.join(IMPLICIT).exists(),
            problems: read(&dir.join(PROBLEMS))?
                .lines()
                .filter_map(problem)
                .collect(),
        })
    }
}

/// clang's flags to find the errors in what was adapted.
const CHECK: &[&str] = &[
    "-fsyntax-only",
    "-w",
    "-fno-caret-diagnostics",
    "-fno-color-diagnostics",
    "-ferror-limit=0",
];

/// The text, with a cast wherever clang is to see as which type a function is called.
fn typed(source: &Preprocessed) -> String {
    let mut edits = Edits::default();
    tables::cast_functions(&source.text, &mut edits);
    if calls::cast_callbacks(&source.text, &mut edits) {
        edits.replace(0..0, known::TYPES.to_owned());
    }
    calls::see_through_casts(&source.text, &mut edits);
    if !source.is_cxx {
        calls::add_prototypes(&source.text, &mut edits);
    }
    edits.apply(&source.text)
}

/// Prints notes, each with its place.
fn print(file: &str, source: &Preprocessed, notes: &str) {
    for note in notes.lines() {
        let Some((line, note)) = note.split_once('\t') else {
            continue;
        };
        let place = line.parse().ok().and_then(|line| source.place(line));
        match place {
            Some((file, line)) => eprintln!("pymode cc: note: {file}:{line}: {note}"),
            None => eprintln!("pymode cc: note: {file}: {note}"),
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), CacheError> {
    fs::write(path, text).map_err(CacheError::io("write", path))
}

fn read(path: &Path) -> Result<String, CacheError> {
    fs::read_to_string(path).map_err(CacheError::io("read", path))
}
