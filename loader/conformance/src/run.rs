//! Runs one case over one engine.

use std::collections::BTreeMap;

use crate::files::Files;
use crate::script::{Flag, Script, Step};
use crate::subject::Subject;

/// Output of a case, which is compared with the files beside it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CaseOutput {
    /// `error.txt`
    pub errors: String,
    /// `plan.txt`; `None` from an engine that prints no plans.
    pub plan: Option<String>,
}

/// Runs a case over a fresh process.
///
/// # Errors
/// With a sentence about the first step that does not go as the case says.
pub fn run<S: Subject>(script: &Script, files: Files) -> Result<CaseOutput, String> {
    let mut run = Run {
        subject: S::new(files),
        named: BTreeMap::new(),
        plan: String::new(),
        errors: String::new(),
        prints: false,
    };
    for (at, step) in script.step.iter().enumerate() {
        run.step(step)
            .map_err(|error| format!("step {}: {error}\n  ({})", at + 1, script.says))?;
    }
    Ok(CaseOutput {
        errors: run.errors,
        plan: run.prints.then_some(run.plan),
    })
}

struct Run<S> {
    subject: S,
    /// Handles and addresses that have a name.
    named: BTreeMap<String, u32>,
    plan: String,
    errors: String,
    prints: bool,
}

impl<S: Subject> Run<S> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Open {
                path,
                flags,
                name,
                fails,
                inner_error,
            } => self.open(path.as_deref(), flags, name.as_ref(), *fails, *inner_error),
            Step::Sym {
                name,
                of,
                alias,
                fails,
            } => {
                let handle = match of {
                    Some(handle) => self.value(handle)?,
                    None => 0,
                };
                let found = self.subject.sym(handle, name);
                self.outcome(found.is_some(), *fails, &format!("dlsym {name}"))?;
                if let (Some(address), Some(alias)) = (found, alias) {
                    self.named.insert(alias.clone(), address);
                }
                Ok(())
            }
            Step::Close { handle, fails } => {
                let value = self.value(handle)?;
                let closed = self.subject.close(value);
                self.outcome(closed, *fails, &format!("dlclose {handle}"))
            }
            Step::Call {
                function,
                args,
                gives,
                traps,
            } => self.call(function, args, *gives, *traps),
            Step::Read { data, gives } => {
                let address = self.address(data)?;
                if !S::RUNS {
                    return Ok(());
                }
                let found = self.subject.read(address);
                equal(&found, gives, data)
            }
            Step::Same { all } => {
                let values = self.values(all)?;
                match values.windows(2).all(|pair| pair[0] == pair[1]) {
                    true => Ok(()),
                    false => Err(format!("{all:?} are {values:?}")),
                }
            }
            Step::Differ { all } => {
                let mut values = self.values(all)?;
                values.sort_unstable();
                match values.windows(2).all(|pair| pair[0] != pair[1]) {
                    true => Ok(()),
                    false => Err(format!("two of {all:?} are equal: {values:?}")),
                }
            }
            Step::Loaded { paths } => {
                let found = self.subject.loaded();
                equal(&found, paths, "what is loaded")
            }
        }
    }

    fn open(
        &mut self,
        path: Option<&str>,
        flags: &[Flag],
        name: Option<&String>,
        fails: bool,
        inner_error: bool,
    ) -> Result<(), String> {
        let bits = flags.iter().fold(2, |bits, flag| bits | flag.bits());
        if let Some(path) = path
            && let Some(plan) = self.subject.plan(path, bits)
        {
            self.prints = true;
            if !plan.is_empty() {
                self.plan += &format!("== {path}\n{plan}");
            }
        }
        let handle = self.subject.open(path, bits);
        let what = format!("dlopen {}", path.unwrap_or("NULL"));
        if inner_error {
            let error = self.subject.error();
            self.note(
                &format!("{what}, inside"),
                &error.ok_or("nothing failed inside")?,
            );
        }
        self.outcome(handle != 0, fails, &what)?;
        if let (true, Some(name)) = (handle != 0, name) {
            self.named.insert(name.clone(), handle);
        }
        Ok(())
    }

    fn call(
        &mut self,
        function: &str,
        args: &[i32],
        gives: Option<i32>,
        traps: bool,
    ) -> Result<(), String> {
        let slot = self.address(function)?;
        if !S::RUNS {
            return Ok(());
        }
        match (self.subject.call(slot, args), traps) {
            (Ok(found), false) => match gives {
                Some(wanted) => equal(&found, &wanted, function),
                None => Ok(()),
            },
            (Err(_), true) => Ok(()),
            (Ok(found), true) => Err(format!("{function} gives {found} instead of a trap")),
            (Err(error), false) => Err(format!("{function}: {error}")),
        }
    }

    /// Checks that something failed or not as it should, and that `dlerror` agrees.
    fn outcome(&mut self, ok: bool, fails: bool, what: &str) -> Result<(), String> {
        let error = self.subject.error();
        match (ok, fails, error) {
            (true, false, None) => Ok(()),
            (true, false, Some(error)) => Err(format!("{what} left an error: {error}")),
            (false, true, Some(error)) => {
                self.note(what, &error);
                match self.subject.error() {
                    None => Ok(()),
                    Some(_) => Err("dlerror is not cleared by reading".into()),
                }
            }
            (false, _, None) => Err(format!("{what} failed without an error")),
            (true, true, _) => Err(format!("{what} should fail")),
            (false, false, Some(error)) => Err(format!("{what}: {error}")),
        }
    }

    /// Keeps an error for `error.txt`, without the sentence of the engine.
    fn note(&mut self, what: &str, error: &str) {
        let ours = match error.split_once(" failed: ") {
            Some((ours, _)) => format!("{ours} failed: …"),
            None => error.to_string(),
        };
        self.errors += &format!("== {what}\n{ours}\n");
    }

    fn value(&self, name: &str) -> Result<u32, String> {
        let value = self.named.get(name);
        value
            .copied()
            .ok_or_else(|| format!("nothing is called `{name}`"))
    }

    fn values(&mut self, names: &[String]) -> Result<Vec<u32>, String> {
        names.iter().map(|name| self.address(name)).collect()
    }

    /// A named handle or address, or `handle.symbol`.
    fn address(&mut self, name: &str) -> Result<u32, String> {
        match name.split_once('.') {
            Some((handle, symbol)) => {
                let handle = self.value(handle)?;
                let found = self.subject.sym(handle, symbol);
                found.ok_or_else(|| format!("no {name}: {:?}", self.subject.error()))
            }
            None => self.value(name),
        }
    }
}

fn equal<T: PartialEq + std::fmt::Debug>(found: &T, wanted: &T, what: &str) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, expected {wanted:?}"))
}
