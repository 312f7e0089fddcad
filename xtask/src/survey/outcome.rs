//! The result of a survey of one package.

use crate::table::{cell, size};

/// Maximum number of characters of a reason.
const LONGEST: usize = 240;

/// Exit code of `timeout` when the time is over.
const TIMEOUT: i32 = 124;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Built(Built),
    Failed { why: String },
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) version: String,
    /// `None` for a wheel from the cache.
    pub(super) seconds: Option<u64>,
    pub(super) bytes: u64,
    pub(super) modules: Modules,
}

/// The extension modules of a wheel.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Modules {
    pub(super) loaded: usize,
    pub(super) all: usize,
    /// The first error of a module that was not loaded.
    pub(super) trouble: Option<String>,
}

impl Outcome {
    /// A failure, from the output on stderr.
    pub(super) fn failed(said: &str, code: Option<i32>) -> Self {
        let why = match code {
            Some(TIMEOUT) => "takes more than 25 minutes here".to_owned(),
            _ => reason(said),
        };
        Self::Failed { why }
    }

    /// The package's line in its table.
    pub(super) fn row(&self, name: &str) -> String {
        match self {
            Self::Failed { why } => format!("| {name} | {} |", cell(why)),
            Self::Built(built) => {
                let seconds = built.seconds.map_or_else(String::new, |s| format!("{s} s"));
                let Modules {
                    loaded,
                    all,
                    trouble,
                } = &built.modules;
                let trouble = trouble.as_deref().unwrap_or_default();
                format!(
                    "| {name} {} | {seconds} | {} | {loaded} of {all} | {} |",
                    built.version,
                    size(built.bytes),
                    cell(trouble)
                )
            }
        }
    }
}

impl Modules {
    /// Parses the output and the exit status of `load.py`.
    pub(super) fn read(stdout: &str, stderr: &str, code: Option<i32>) -> Self {
        let mut modules = Self::default();
        let mut begun = None;
        for line in stdout.lines() {
            match line.split_once(' ') {
                Some(("begin", name)) => {
                    modules.all += 1;
                    begun = Some(name);
                }
                Some(("loaded", _)) => {
                    modules.loaded += 1;
                    begun = None;
                }
                Some(("failed", said)) => {
                    modules.trouble.get_or_insert_with(|| tidied(said));
                    begun = None;
                }
                // Some modules print while they are imported.
                _ => {}
            }
        }
        if let Some(name) = begun {
            modules.trouble = Some(format!("{name}: the guest failed: {}", reason(stderr)));
        } else if code != Some(0) && modules.all == modules.loaded {
            modules.trouble = Some(reason(stderr));
        } else if modules.all == 0 {
            modules.trouble = Some(
                "the wheel is pure Python: the package has no C code, or built without it"
                    .to_owned(),
            );
        }
        modules
    }
}

/// One line of an error message: its first line, and the hint.
fn reason(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    let error = lines
        .iter()
        .rposition(|line| line.starts_with("error:") || line.starts_with("Traceback"));
    let lines = &lines[error.unwrap_or(0)..];
    let hint = lines.iter().find_map(|line| line.strip_prefix("hint: "));
    let first = lines.first().copied().unwrap_or_default();
    // Skips the line that only says that the build failed; a line below has the reason.
    let why = match lines.get(1) {
        Some(next) if first.contains("cannot build") || first.ends_with(':') => next,
        _ => first,
    };
    match hint {
        Some(hint) => format!("{}: {}", tidied(why), tidied(hint)),
        None => tidied(why),
    }
}

/// Removes paths of this machine and addresses, and shortens the text.
fn tidied(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let start = word.find('/').unwrap_or(0);
        match word {
            _ if word.contains("://") => "…",
            _ if word
                .trim_start_matches(['`', '\'', '"', '(', '['])
                .starts_with('/')
                || word.contains("=/") =>
            {
                let end = word.rfind('/').map_or(start, |at| at + 1);
                &word[end..]
            }
            _ => word,
        }
    });
    let text = words.collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{Built, Modules, Outcome, reason};

    #[test]
    fn a_reason_is_one_line_without_paths() {
        let said = "building x …\nerror: cannot build `x 1`\n  /a/b/c.c:3:9: error: no `fork`\n  log: /a/log\n  hint: there are no processes\n";
        assert_eq!(
            reason(said),
            "c.c:3:9: error: no `fork`: there are no processes"
        );
        assert_eq!(reason("error: see https://x.y/z now"), "error: see … now");
        assert_eq!(
            Outcome::failed(said, Some(124)).row("x"),
            "| x | takes more than 25 minutes here |"
        );
    }

    #[test]
    fn modules_are_counted_and_the_first_failure_is_shown() {
        let modules = Modules::read(
            "begin a\nloaded a\nbegin b\nfailed b: ImportError: c\nbegin d\nfailed d: x\n",
            "",
            Some(0),
        );
        let built = |modules| {
            Outcome::Built(Built {
                version: "1".to_owned(),
                seconds: Some(3),
                bytes: 2000,
                modules,
            })
        };
        assert_eq!(
            built(modules).row("p"),
            "| p 1 | 3 s | 2 KB | 1 of 3 | b: ImportError: c |"
        );
        let died = Modules::read("begin a\n", "error: trap\n", Some(1));
        assert_eq!(
            died.trouble.as_deref(),
            Some("a: the guest failed: error: trap")
        );
        assert_eq!(Modules::read("", "", Some(0)).all, 0);
    }
}
