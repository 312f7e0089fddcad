//! One command of a build, with its output in a log.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::reporter::{Progress, Reporter};

/// The number of lines of a failed step's log that its error shows.
const TAIL_LINES: usize = 25;
/// The number of bytes at the end of a log that are read for those lines.
const TAIL_BYTES: u64 = 16 << 10;

/// A failed step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The command could not be started.
    #[error(
        "{title} failed: cannot start `{command}`: {source}{}",
        start_hint(source, program)
    )]
    Start {
        /// The title of the step.
        title: String,
        /// The program that was not found.
        program: String,
        /// The whole command line.
        command: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The command ran and failed.
    #[error(transparent)]
    Failed(Box<Failure>),
    /// The log could not be written.
    #[error("{title} failed: could not write its log `{}`: {source}{}", log.display(), crate::cache::io_hint(source))]
    Log {
        /// The title of the step.
        title: String,
        /// The path of the log.
        log: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// A command that ran and failed.
#[derive(Debug, thiserror::Error)]
#[error("{title} failed: {status}\n  command: {command}\n  in: {}\n  log: {}\n{}{}", dir.display(), log.display(), indent(tail), full_hint(tail))]
#[non_exhaustive]
pub struct Failure {
    /// The title of the step.
    pub title: String,
    /// The whole command line, quoted for a shell.
    pub command: String,
    /// The directory that it ran in.
    pub dir: PathBuf,
    /// Its exit status.
    pub status: ExitStatus,
    /// The path of its whole output.
    pub log: PathBuf,
    /// The last lines of its output.
    pub tail: String,
}

/// A command with a title and a log.
#[derive(Debug)]
pub struct Step;

impl Step {
    /// Runs a command to its end. Writes its stdout and stderr to a new `log`; its stdin is empty.
    ///
    /// # Errors
    /// If the command cannot be started, or if it exits with another code than 0: then the error holds the command line, the
    /// last lines of the log, and the path of the log. So the log must not lie in an unfinished entry of the cache, which is
    /// deleted after a failure.
    pub fn run(
        reporter: &Reporter,
        title: &str,
        mut command: Command,
        log: &Path,
    ) -> Result<(), StepError> {
        let log_error = |source: io::Error| StepError::Log {
            title: title.to_owned(),
            log: log.to_path_buf(),
            source,
        };
        if let Some(parent) = log.parent() {
            fs::create_dir_all(parent).map_err(log_error)?;
        }
        let out = File::create(log).map_err(log_error)?;
        let err = out.try_clone().map_err(log_error)?;
        command.stdin(Stdio::null()).stdout(out).stderr(err);

        let progress = reporter.start(title);
        let mut child = command.spawn().map_err(|source| StepError::Start {
            title: title.to_owned(),
            program: command.get_program().to_string_lossy().into_owned(),
            command: command_line(&command),
            source,
        })?;
        let status = wait(&mut child, log, &progress).map_err(log_error)?;
        if status.success() {
            progress.finish();
            return Ok(());
        }
        drop(progress);
        Err(StepError::Failed(Box::new(Failure {
            title: title.to_owned(),
            command: command_line(&command),
            dir: command
                .get_current_dir()
                .map(Path::to_path_buf)
                .or_else(|| std::env::current_dir().ok())
                .unwrap_or_default(),
            status,
            log: log.to_path_buf(),
            tail: tail(log, TAIL_LINES, TAIL_BYTES).unwrap_or_default(),
        })))
    }
}

/// Waits for the end, and shows the last line of the log on a terminal.
fn wait(child: &mut Child, log: &Path, progress: &Progress) -> io::Result<ExitStatus> {
    if !progress.is_terminal() {
        return child.wait();
    }
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if let Ok(tail) = tail(log, 1, 400) {
            progress.set_message(tail.trim());
        }
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// Returns the command as one line for a shell, with the environment variables that it sets.
pub fn command_line(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!(
                "{}={}",
                name.to_string_lossy(),
                quoted(&value.to_string_lossy())
            ));
        }
    }
    words.push(quoted(&command.get_program().to_string_lossy()));
    words.extend(command.get_args().map(|arg| quoted(&arg.to_string_lossy())));
    words.join(" ")
}

/// Quotes a word for a shell. Words of a command hold no NUL, which is all that cannot be quoted.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), Cow::into_owned)
}

/// Returns the last lines of a file, reading at most `bytes`.
fn tail(path: &Path, lines: usize, bytes: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
    let mut text = Vec::new();
    file.take(bytes).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    Ok(all[all.len().saturating_sub(lines)..].join("\n"))
}

fn indent(text: &str) -> String {
    text.lines()
        .map(|line| format!("  | {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn start_hint(error: &io::Error, program: &str) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        format!("\n  hint: `{program}` is not installed, or not in `PATH`")
    } else {
        String::new()
    }
}

/// A compiler that finds the disk full says so only in its output.
fn full_hint(tail: &str) -> &'static str {
    if tail.contains("No space left on device") {
        "\n  hint: the disk is full; free some space, or set `PYMODE_CACHE` to a directory on another disk"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str) -> (tempfile::TempDir, Result<(), StepError>) {
        let dir = tempfile::tempdir().expect("a directory");
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("WHO", "a b");
        let result = Step::run(
            &Reporter::quiet(),
            "the step",
            command,
            &dir.path().join("logs/step.log"),
        );
        (dir, result)
    }

    #[test]
    fn a_failure_shows_command_and_tail_and_log() {
        let (dir, result) = run("seq 100; echo last words >&2; exit 3");
        let error = result.expect_err("it failed").to_string();
        assert!(
            error.starts_with("the step failed: exit status: 3"),
            "{error}"
        );
        assert!(
            error.contains("WHO='a b' sh -c 'seq 100; echo last words >&2; exit 3'"),
            "{error}"
        );
        assert!(
            error.contains("| 100\n  | last words") && !error.contains("| 10\n"),
            "{error}"
        );
        let log = dir.path().join("logs/step.log");
        assert!(error.contains(&log.display().to_string()), "{error}");
        assert!(
            fs::read_to_string(log)
                .expect("it is there")
                .starts_with("1\n2\n")
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let command = Command::new("pymode-no-such-program");
        let error = Step::run(
            &Reporter::quiet(),
            "the step",
            command,
            &std::env::temp_dir().join("pymode-step.log"),
        );
        let error = error.expect_err("it cannot start").to_string();
        assert!(
            error.contains("`pymode-no-such-program` is not installed"),
            "{error}"
        );
    }

    #[test]
    fn a_full_disk_is_recognised_in_a_compilers_words() {
        let (_dir, result) = run("echo 'fatal error: x.o: No space left on device'; exit 1");
        assert!(
            result
                .expect_err("it failed")
                .to_string()
                .contains("hint: the disk is full")
        );
    }
}
