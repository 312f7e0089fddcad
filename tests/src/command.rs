//! The real command, run like a user runs it.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::Case;

/// An engine by its name for `--engine`.
#[derive(Debug, Clone, Copy)]
pub struct Engine(pub &'static str);

impl Engine {
    /// Every engine that runs whole-runtime cases.
    pub const ALL: &[Engine] = &[Engine("wasmtime"), Engine("workerd")];
}

/// The `pymode` that was built beside this test.
#[derive(Debug, Clone)]
pub struct Pymode(PathBuf);

impl Pymode {
    /// Finds the command in the folder of this test's own profile.
    ///
    /// # Errors
    ///
    /// When it is not built; the message has a hint.
    pub fn find() -> Result<Self, String> {
        let me = std::env::current_exe().map_err(|e| e.to_string())?;
        let profile = me
            .ancestors()
            .nth(2)
            .ok_or("the test is outside a target folder")?;
        let exe = profile.join(format!("pymode{}", std::env::consts::EXE_SUFFIX));
        if exe.is_file() {
            Ok(Self(exe))
        } else {
            Err(format!(
                "no such file: `{}`\nhint: run `cargo build --release -p pymode`, or `cargo xtask test`, which builds it first",
                exe.display()
            ))
        }
    }

    /// A command line that begins with `pymode`.
    #[must_use]
    pub fn command(&self) -> Command {
        Command::new(&self.0)
    }

    /// Runs a case in `folder`, which becomes its current directory.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written or the command cannot be started.
    pub fn run(&self, case: &Case, engine: Engine, folder: &Path) -> std::io::Result<Output> {
        for (name, text) in &case.files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
            std::fs::write(path, text)?;
        }
        if let Some(script) = &case.script {
            std::fs::write(folder.join("main.py"), script)?;
        }
        let mut command = self.command();
        command
            .current_dir(folder)
            .envs(&case.env)
            .args(words(case, engine));
        feed(command, case.stdin.as_bytes())
    }
}

fn words(case: &Case, engine: Engine) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    if case.verb.is_empty() {
        words.extend(["run", "--engine", engine.0].map(OsString::from));
        for spec in &case.with {
            words.extend(["--with".into(), spec.into()]);
        }
        if case.args.is_empty() {
            words.push("main.py".into());
        }
    } else {
        words.extend(case.verb.iter().map(OsString::from));
    }
    words.extend(
        case.args
            .iter()
            .map(|a| if a == "@" { "main.py".into() } else { a.into() }),
    );
    words
}

fn feed(mut command: Command, stdin: &[u8]) -> std::io::Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut pipe = child.stdin.take().expect("stdin was asked to be a pipe");
    // A thread, because a child that writes before it reads would block on a full pipe. A child that ends without reading is
    // not a failure of the case.
    let bytes = stdin.to_vec();
    let writer = std::thread::spawn(move || drop(pipe.write_all(&bytes)));
    let output = child.wait_with_output();
    writer.join().expect("the writer does not panic");
    output
}
