//! Response files: `@FILE` stands for the words in FILE.

use std::fs;
use std::io;
use std::path::PathBuf;

/// The largest depth of response files that name response files.
const DEEPEST: usize = 8;
/// The most words a command line may grow to.
const MOST: usize = 1 << 20;

/// A response file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum ResponseError {
    /// It cannot be read.
    #[error("could not read the response file `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// It names itself, or far too much.
    #[error("response files are nested too deeply at `{}`", path.display())]
    Endless {
        /// The file at which the limit was reached.
        path: PathBuf,
    },
}

/// The words with every `@FILE` replaced by the words in FILE. A file that does not exist leaves the word as it is (as gcc
/// does it).
///
/// # Errors
/// If a file cannot be read, or if the files are nested too deeply.
pub(super) fn expand(args: &[String]) -> Result<Vec<String>, ResponseError> {
    let mut out = Vec::new();
    expand_into(args, 0, &mut out)?;
    Ok(out)
}

fn expand_into(args: &[String], depth: usize, out: &mut Vec<String>) -> Result<(), ResponseError> {
    for arg in args {
        let Some(path) = arg.strip_prefix('@').map(PathBuf::from) else {
            out.push(arg.clone());
            continue;
        };
        if depth == DEEPEST || out.len() > MOST {
            return Err(ResponseError::Endless { path });
        }
        match fs::read_to_string(&path) {
            Ok(text) => expand_into(&words(&text), depth + 1, out)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => out.push(arg.clone()),
            Err(source) => return Err(ResponseError::Read { path, source }),
        }
    }
    Ok(())
}

/// Splits as gcc does: white space, quotes of both kinds, a backslash before any character.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (_, '\\') => word.get_or_insert_default().extend(chars.next()),
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_gcc_does() {
        assert_eq!(
            words("a 'b c' \"d\\\"e\" f\\ g\n''\n"),
            ["a", "b c", "d\"e", "f g", ""]
        );
    }

    #[test]
    fn a_file_that_names_itself_ends_in_an_error() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("r");
        let word = format!("@{}", path.display());
        fs::write(&path, &word).expect("it can be written");
        assert!(matches!(
            expand(&[word]),
            Err(ResponseError::Endless { .. })
        ));
    }

    #[test]
    fn a_file_that_is_not_there_is_a_plain_word() {
        let word = "@not/there".to_owned();
        assert_eq!(
            expand(std::slice::from_ref(&word)).expect("no error"),
            [word]
        );
    }
}
