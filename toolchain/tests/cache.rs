//! Entries under two processes, under a kill, under failure. This program is also the other processes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_toolchain::{Cache, CacheError, Key};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["fill", root, millis] => return fill(Path::new(root), millis.parse().expect("a number")),
        ["orphan", root] => return leave_an_orphan(Path::new(root)),
        ["write", file, millis] => {
            std::thread::sleep(Duration::from_millis(millis.parse().expect("a number")));
            // Its directory may be gone: that is what the test looks for.
            let _ = fs::write(file, "late");
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let trials = vec![
        Trial::test(
            "of_two_processes_one_builds_and_both_have_it",
            two_processes,
        ),
        Trial::test(
            "a_killed_build_leaves_nothing_that_is_taken_for_complete",
            killed,
        ),
        Trial::test("the_orphans_of_a_killed_build_are_waited_for", orphans),
        Trial::test("a_failed_build_leaves_nothing", failed),
        Trial::test("a_sealed_cache_tells_and_fills_nothing", sealed),
        Trial::test("a_cache_that_is_deleted_meanwhile_is_made_anew", deleted),
        Trial::test("a_damaged_entry_can_be_thrown_away", discarded),
        Trial::test("keys_tell_inputs_apart", keys),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

type Tested = Result<(), Failed>;

fn key() -> Key {
    Key::new("thing").field("version", "1")
}

/// Fills the entry, taking its time; says what it does on stdout.
fn fill(root: &Path, millis: u64) -> ExitCode {
    let cache = Cache::at(root).expect("a cache");
    let result = cache.entry("kind", &key(), |dir| {
        fs::write(dir.join("first"), "1").map_err(CacheError::io("write", dir))?;
        println!("begun");
        std::thread::sleep(Duration::from_millis(millis));
        fs::write(dir.join("second"), "2").map_err(CacheError::io("write", dir))?;
        Ok::<_, CacheError>(())
    });
    match result {
        Ok(dir) if dir.join("second").is_file() => {
            println!("there");
            ExitCode::SUCCESS
        }
        _ => ExitCode::FAILURE,
    }
}

/// Begins to fill the entry, starts a program that writes into it later, and waits to be killed.
fn leave_an_orphan(root: &Path) -> ExitCode {
    let cache = Cache::at(root).expect("a cache");
    let _ = cache.entry("kind", &key(), |dir| {
        let mut orphan = Command::new(std::env::current_exe().expect("this program"))
            .args(["write", &dir.join("late").to_string_lossy(), "700"])
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        println!("begun");
        orphan.wait().map_err(CacheError::io("wait for", dir))?;
        std::thread::sleep(Duration::from_secs(60));
        Ok::<_, CacheError>(())
    });
    ExitCode::SUCCESS
}

fn start(args: &[&str]) -> std::io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
}

fn wait_for(child: &mut Child, word: &str) -> Tested {
    let stdout = child.stdout.as_mut().ok_or("it has no stdout")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    if line.trim() == word {
        Ok(())
    } else {
        Err(format!("it said `{line}`").into())
    }
}

fn is(holds: bool, what: &str) -> Tested {
    if holds {
        Ok(())
    } else {
        Err(format!("not so: {what}").into())
    }
}

/// Lists the kind's directory.
fn names(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("kind"))
        .into_iter()
        .flatten()
        .flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn two_processes() -> Tested {
    let dir = tempfile::tempdir()?;
    let root = dir.path().to_string_lossy().into_owned();
    let children = [
        start(&["fill", &root, "300"])?,
        start(&["fill", &root, "300"])?,
    ];
    let mut said = Vec::new();
    for child in children {
        let output = child.wait_with_output()?;
        is(output.status.success(), "both have it")?;
        said.push(String::from_utf8(output.stdout)?);
    }
    said.sort();
    is(
        said == ["begun\nthere\n", "there\n"],
        &format!("one builds: {said:?}"),
    )
}

fn killed() -> Tested {
    let dir = tempfile::tempdir()?;
    let root = dir.path().to_string_lossy().into_owned();
    let mut child = start(&["fill", &root, "60000"])?;
    wait_for(&mut child, "begun")?;
    child.kill()?;
    child.wait()?;
    let cache = Cache::at(dir.path())?;
    is(cache.get("kind", &key()).is_none(), "half an entry is none")?;
    is(
        names(dir.path())
            .iter()
            .any(|name| name.ends_with(".partial")),
        "something was left behind",
    )?;
    let entry = cache.entry("kind", &key(), |dir| {
        fs::write(dir.join("second"), "2").map_err(CacheError::io("write", dir))
    })?;
    is(
        !entry.join("first").exists() && entry.join("second").exists(),
        "it was built from nothing",
    )?;
    is(
        !names(dir.path())
            .iter()
            .any(|name| name.ends_with(".partial")),
        "nothing is left behind",
    )
}

fn orphans() -> Tested {
    let dir = tempfile::tempdir()?;
    let root = dir.path().to_string_lossy().into_owned();
    let mut child = start(&["orphan", &root])?;
    wait_for(&mut child, "begun")?;
    child.kill()?;
    child.wait()?;
    let cache = Cache::at(dir.path())?;
    let entry = cache.entry("kind", &key(), |dir| {
        // Longer than the orphan would take: it has ended before this began, or it writes into this.
        std::thread::sleep(Duration::from_millis(1000));
        fs::write(dir.join("mine"), "").map_err(CacheError::io("write", dir))
    })?;
    is(
        !entry.join("late").exists(),
        "an orphan wrote into another's entry",
    )
}

fn sealed() -> Tested {
    let root = tempfile::tempdir()?;
    let cache = Cache::at(root.path())?;
    let closed = cache.clone().sealed();
    let ask = |cache: &Cache| cache.entry("thing", &key(), |_| Ok::<_, CacheError>(()));
    is(
        matches!(ask(&closed), Err(CacheError::Sealed { .. })),
        "what is not there is an error",
    )?;
    is(names(root.path()).is_empty(), "nothing is left")?;
    let filled = ask(&cache)?;
    is(ask(&closed)? == filled, "an existing entry is returned")
}

fn failed() -> Tested {
    let dir = tempfile::tempdir()?;
    let cache = Cache::at(dir.path())?;
    let result = cache.entry("kind", &key(), |dir| {
        fs::write(dir.join("half"), "").map_err(CacheError::io("write", dir))?;
        Err::<(), _>(CacheError::io("do", Path::new("it"))(
            std::io::ErrorKind::StorageFull.into(),
        ))
    });
    let error = result.err().ok_or("it must fail")?.to_string();
    is(error.contains("the disk is full"), &error)?;
    is(
        names(dir.path()).iter().all(|name| name.ends_with(".lock")),
        "nothing but the lock is left",
    )?;
    cache.entry("kind", &key(), |_| Ok::<_, CacheError>(()))?;
    is(
        cache.get("kind", &key()).is_some(),
        "and it works the next time",
    )
}

fn deleted() -> Tested {
    let dir = tempfile::tempdir()?;
    let cache = Cache::at(&dir.path().join("cache"))?;
    cache.entry("kind", &key(), |_| Ok::<_, CacheError>(()))?;
    fs::remove_dir_all(cache.root())?;
    let entry = cache.entry("kind", &key(), |dir| {
        fs::write(dir.join("a"), "").map_err(CacheError::io("write", dir))
    })?;
    is(entry.join("a").exists(), "it was made anew")
}

fn discarded() -> Tested {
    let dir = tempfile::tempdir()?;
    let cache = Cache::at(dir.path())?;
    cache.entry("kind", &key(), |_| Ok::<_, CacheError>(()))?;
    cache.discard("kind", &key())?;
    is(cache.get("kind", &key()).is_none(), "it is gone")?;
    cache.discard("kind", &key())?;
    is(
        names(dir.path()).iter().all(|name| name.ends_with(".lock")),
        "and leaves nothing",
    )
}

fn keys() -> Tested {
    let hex = |key: Key| key.hex();
    let base = || Key::new("a");
    is(
        hex(base().field("x", "1")) == hex(base().field("x", "1")),
        "equal inputs, equal keys",
    )?;
    let different = [
        hex(base()),
        hex(Key::new("b")),
        hex(base().field("x", "1")),
        hex(base().field("x1", "")),
        hex(base().field("", "x1")),
        hex(base().field("x", "1").field("y", "2")),
        hex(base().field("y", "2").field("x", "1")),
    ];
    let distinct: std::collections::BTreeSet<_> = different.iter().collect();
    is(
        distinct.len() == different.len(),
        "different inputs, different keys",
    )?;
    is(
        hex(Key::new("../x y")).starts_with("_x_y-"),
        "a name is a plain file name",
    )
}
