//! Shared parts of the driver's tests, which act as the driver when called as `… cc ARGS`.
#![allow(dead_code, reason = "each test program uses its part")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_toolchain::cc::{self, Language};
use wasmparser::{KnownCustom, Parser, Payload};

/// Runs trials; or is the driver.
pub(crate) fn main(trials: Vec<Trial>) -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next().as_deref().and_then(|first| first.to_str()) {
        Some("cc") => cc::run(Language::C, args),
        Some("c++") => cc::run(Language::Cxx, args),
        Some("ar") => cc::ar(args),
        _ => libtest_mimic::run(&Arguments::from_args(), trials).exit_code(),
    }
}

pub(crate) type Tested = Result<(), Failed>;

/// A directory with sources, where the driver runs.
pub(crate) struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new(files: &[(&str, &str)]) -> Result<Self, Failed> {
        let dir = tempfile::tempdir()?;
        for (name, text) in files {
            fs::write(dir.path().join(name), text)?;
        }
        Ok(Self { dir })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn call(&self, line: &str) -> Result<Output, Failed> {
        let words = line.split_whitespace().map(OsString::from);
        Ok(Command::new(std::env::current_exe()?)
            .args(words)
            .current_dir(self.dir.path())
            .output()?)
    }

    /// Calls the driver, which must succeed; its stdout.
    pub(crate) fn ok(&self, line: &str) -> Result<String, Failed> {
        let output = self.call(line)?;
        if output.status.success() {
            Ok(String::from_utf8(output.stdout)?)
        } else {
            Err(format!(
                "`{line}` failed:\n{}",
                String::from_utf8_lossy(&output.stderr)
            )
            .into())
        }
    }
}

/// The parsed properties of a module.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) exports: Vec<String>,
    pub(crate) imports: Vec<String>,
    pub(crate) needed: Vec<String>,
    pub(crate) runtime_path: Vec<String>,
    pub(crate) abi: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) dylink: bool,
}

pub(crate) fn look(path: &Path) -> Result<Seen, Failed> {
    let bytes = fs::read(path)?;
    let mut seen = Seen::default();
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload? {
            Payload::ExportSection(section) => {
                for export in section {
                    seen.exports.push(export?.name.to_owned());
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    seen.imports
                        .push(format!("{}.{}", import.module, import.name));
                }
            }
            Payload::CustomSection(custom) => match custom.as_known() {
                KnownCustom::Dylink0(reader) => {
                    seen.dylink = true;
                    for part in reader {
                        match part? {
                            wasmparser::Dylink0Subsection::Needed(names) => {
                                seen.needed
                                    .extend(names.iter().map(|name| (*name).to_owned()));
                            }
                            wasmparser::Dylink0Subsection::RuntimePath(dirs) => {
                                seen.runtime_path
                                    .extend(dirs.iter().map(|dir| (*dir).to_owned()));
                            }
                            _ => {}
                        }
                    }
                }
                _ if custom.name() == pymode_abi::SECTION => {
                    seen.abi = Some(custom.data().to_vec())
                }
                _ if custom.name() == "pymode.link" => {
                    seen.link = Some(custom.data().to_vec());
                }
                _ => {}
            },
            _ => {}
        }
    }
    Ok(seen)
}

pub(crate) fn check(holds: bool, what: &str, seen: &dyn std::fmt::Debug) -> Tested {
    if holds {
        Ok(())
    } else {
        Err(format!("not so: {what}\n{seen:#?}").into())
    }
}
