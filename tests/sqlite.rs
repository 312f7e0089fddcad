//! SQLite over more than one run: deaths in the middle of a transaction on either engine, and natively two processes with one
//! database.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Output, Stdio};

use libtest_mimic::{Failed, Trial};
use pymode_tests::{Engine, Pymode};
use tempfile::TempDir;

/// Makes a table with a thousand rows, in the journal mode that is the first argument.
const CREATE: &str = "
import sqlite3, sys
db = sqlite3.connect('data.db')
print(*db.execute(f'pragma journal_mode={sys.argv[1]}').fetchone())
db.execute('create table t(a, b)')
with db:
    db.executemany('insert into t values(?, ?)', [(i, 'x' * 500) for i in range(1000)])
db.close()
";

/// Changes all rows, in a cache so small that they go to the file, and ends as the first argument says.
const DIE: &str = "
import os, sqlite3, sys
db = sqlite3.connect('data.db')
with db:
    db.execute('insert into t values(-1, ?)', ['kept'])
db.execute('pragma cache_size=5')
db.execute(\"update t set b = 'y' || b\")
db.execute('insert into t select a, b from t')
print(sorted(os.listdir()), flush=True)
if sys.argv[1] == 'exit':
    os._exit(7)
os.abort()
";

/// Checks the database in a later run, and that it is writable.
const LOOK: &str = "
import os, sqlite3
db = sqlite3.connect('data.db', timeout=0)
print(*db.execute(\"select count(*), sum(b like 'y%'), max(b = 'kept') from t\").fetchone())
print(*db.execute('pragma integrity_check').fetchone())
with db:
    db.execute('delete from t where a = -1')
db.close()
print([name for name in sorted(os.listdir()) if 'data' in name])
";

/// Takes a lock, says so, and waits for a line.
const HOLD: &str = "
import sqlite3, sys
db = sqlite3.connect('data.db', isolation_level=None, timeout=0)
for statement in sys.argv[1:]:
    db.execute(statement).fetchall()
print('held', flush=True)
sys.stdin.readline()
db.close()
";

/// Tries to read and to write, without waiting.
const TRY: &str = "
import sqlite3
db = sqlite3.connect('data.db', isolation_level=None, timeout=0)
for statement in ['select count(*) from t', 'insert into t values(0, 0)']:
    try:
        db.execute(statement).fetchall()
        print('done')
    except sqlite3.OperationalError as error:
        print(error)
";

fn main() -> ExitCode {
    pymode_tests::run(trials)
}

fn trials(pymode: &Pymode) -> Vec<Trial> {
    let mut trials = Vec::new();
    for &engine in Engine::ALL {
        for mode in ["delete", "wal"] {
            for end in ["exit", "abort"] {
                let pymode = pymode.clone();
                let name = format!("{}/sqlite/{end}-in-a-transaction-{mode}", engine.0);
                trials.push(Trial::test(name, move || {
                    death(&Runs::new(pymode, engine)?, mode, end)
                }));
            }
        }
    }
    for (mode, statements, wanted) in [
        // A writer that has not written yet lets others read.
        (
            "delete",
            &["begin immediate"][..],
            "done\ndatabase is locked\n",
        ),
        (
            "delete",
            &["begin exclusive"],
            "database is locked\ndatabase is locked\n",
        ),
        (
            "delete",
            &["begin", "select * from t"],
            "done\ndatabase is locked\n",
        ),
        // The index of a WAL is not shared between processes. SQLite tries for ten seconds, and then calls it a
        // protocol.
        (
            "wal",
            &["select * from t"],
            "locking protocol\nlocking protocol\n",
        ),
    ] {
        for other in [Other::Pymode, Other::System] {
            let pymode = pymode.clone();
            let name = format!("wasmtime/sqlite/{mode}-{}-{other:?}", statements.join("-"));
            trials.push(Trial::test(name.replace([' ', '*'], "-"), move || {
                exclusion(
                    &Runs::new(pymode, Engine("wasmtime"))?,
                    mode,
                    statements,
                    other,
                    wanted,
                )
            }));
        }
    }
    trials
}

/// Runs of scripts in one directory.
struct Runs {
    pymode: Pymode,
    engine: Engine,
    folder: TempDir,
}

impl Runs {
    fn new(pymode: Pymode, engine: Engine) -> Result<Runs, Failed> {
        Ok(Runs {
            pymode,
            engine,
            folder: tempfile::tempdir()?,
        })
    }

    fn command(&self, script: &str, args: &[&str]) -> Command {
        let mut command = self.pymode.command();
        command
            .args(["run", "--engine", self.engine.0, "-c", script])
            .args(args)
            .current_dir(self.folder.path());
        command
    }

    fn run(&self, script: &str, args: &[&str]) -> Result<Output, Failed> {
        Ok(self.command(script, args).output()?)
    }

    /// Returns the output of a script that succeeds.
    fn says(&self, script: &str, args: &[&str]) -> Result<String, Failed> {
        text(self.run(script, args)?)
    }
}

fn text(output: Output) -> Result<String, Failed> {
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    match output.status.success() {
        true => Ok(stdout),
        false => Err(format!("{}\n{stdout}\n{stderr}", output.status).into()),
    }
}

fn is(found: &str, wanted: &str) -> Result<(), Failed> {
    match found == wanted {
        true => Ok(()),
        false => Err(format!("it is\n{found}\nand not\n{wanted}").into()),
    }
}

fn death(runs: &Runs, mode: &str, end: &str) -> Result<(), Failed> {
    is(&runs.says(CREATE, &[mode])?, &format!("{mode}\n"))?;
    let died = runs.run(DIE, &[end])?;
    if died.status.success() || (end == "exit" && died.status.code() != Some(7)) {
        return Err(format!("it ended with {}", died.status).into());
    }
    let left = match mode {
        "wal" => "data.db-wal",
        _ => "data.db-journal",
    };
    if !runs.folder.path().join(left).exists() {
        let said = String::from_utf8_lossy(&died.stdout).into_owned();
        return Err(format!("there is no `{left}`; it said {said}").into());
    }
    is(&runs.says(LOOK, &[])?, "1001 0 1\nok\n['data.db']\n")
}

/// Reads a database that another process has open.
#[derive(Clone, Copy, Debug)]
enum Other {
    Pymode,
    /// SQLite of this machine, in its own Python.
    System,
}

fn exclusion(
    runs: &Runs,
    mode: &str,
    statements: &[&str],
    other: Other,
    wanted: &str,
) -> Result<(), Failed> {
    runs.says(CREATE, &[mode])?;
    let from = |who: Other, script: &str, args: &[&str]| match who {
        Other::Pymode => runs.command(script, args),
        Other::System => system(script, args, runs.folder.path()),
    };
    // Ours holds and the other one tries, and the other way round.
    for (holder, tries) in [(Other::Pymode, other), (other, Other::Pymode)] {
        let held = Held::new(from(holder, HOLD, statements))?;
        let found = text(from(tries, TRY, &[]).output()?)?;
        held.release()?;
        is(&found, wanted).map_err(|failed| {
            let reason = failed.message().unwrap_or_default().to_owned();
            Failed::from(format!("{holder:?} holds, {tries:?} tries: {reason}"))
        })?;
        let free = text(from(tries, TRY, &[]).output()?)?;
        is(&free, "done\ndone\n")?;
    }
    Ok(())
}

fn system(script: &str, args: &[&str], folder: &Path) -> Command {
    let python = std::env::var_os("PYMODE_HOST_PYTHON").unwrap_or_else(|| "python3".into());
    let mut command = Command::new(python);
    command
        .args(["-I", "-c", script])
        .args(args)
        .current_dir(folder);
    command
}

/// A process that holds a lock.
struct Held(Child);

impl Held {
    fn new(mut command: Command) -> Result<Held, Failed> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("there is no standard output")?;
        BufReader::new(out).read_line(&mut line)?;
        is(&line, "held\n")?;
        Ok(Held(child))
    }

    fn release(mut self) -> Result<(), Failed> {
        let mut input = self.0.stdin.take().ok_or("there is no standard input")?;
        input.write_all(b"\n")?;
        drop(input);
        match self.0.wait()?.success() {
            true => Ok(()),
            false => Err("the one who held it failed".into()),
        }
    }
}
