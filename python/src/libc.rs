//! zig's libc for WASI, as files to link.

use std::path::PathBuf;

use pymode_toolchain::cc::flags::TARGET;
use pymode_toolchain::{Key, zig};

use crate::context::BuildContext;
use crate::error::Error;
use crate::files::{copy, read, write};

/// The files that zig links into a program, in this order.
const PARTS: [&str; 4] = ["crt1-command.o", "libc.a", "libzigc.a", "libcompiler_rt.a"];

/// libc is optimised as the program is.
const FLAGS: &[&str] = &["-target", TARGET, "-O2"];

/// The compiled libc. zig compiles it at the first link.
#[derive(Clone, Debug)]
pub(crate) struct Libc {
    pub(crate) key: Key,
    dir: PathBuf,
}

impl Libc {
    /// Runs before `main`, and calls it.
    pub(crate) fn start(&self) -> PathBuf {
        self.dir.join(PARTS[0])
    }

    pub(crate) fn archives(&self) -> impl Iterator<Item = PathBuf> + '_ {
        PARTS[1..].iter().map(|part| self.dir.join(part))
    }
}

pub(crate) fn provision(context: &BuildContext<'_>) -> Result<Libc, Error> {
    let key = Key::new("libc")
        .field("zig", zig::VERSION)
        .field("parts", PARTS.join(" "))
        .field("flags", FLAGS.join(" "))
        .field("recipe", include_str!("libc.rs"));
    let dir = context.cache.entry("python", &key, |dir| {
        let program = dir.join("probe.c");
        write(&program, "int main(void) { return 0; }\n")?;
        let mut command = context.command(&context.zig.exe);
        command
            .arg("cc")
            .args(FLAGS)
            .args(["probe.c", "-o", "probe.wasm"])
            .env("ZIG_VERBOSE_LINK", "1")
            .current_dir(dir);
        context.run("compiling libc", "python-libc", command)?;
        let said = String::from_utf8_lossy(&read(&context.log("python-libc"))?).into_owned();
        for (part, path) in parts(&said)? {
            copy(&path, &dir.join(part))?;
        }
        Ok::<_, Error>(())
    })?;
    Ok(Libc { key, dir })
}

/// Finds the parts in the link command that zig printed.
fn parts(said: &str) -> Result<Vec<(&'static str, PathBuf)>, Error> {
    let command = said
        .lines()
        .rfind(|line| line.contains("wasm-ld"))
        .unwrap_or_default();
    PARTS
        .into_iter()
        .map(|part| {
            let path = command
                .split_whitespace()
                .find(|word| {
                    word.strip_suffix(part)
                        .is_some_and(|dir| dir.ends_with('/'))
                })
                .ok_or_else(|| Error::NoLibrary {
                    library: part,
                    command: command.to_owned(),
                })?;
            Ok((part, PathBuf::from(path)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::parts;
    use crate::error::Error;

    #[test]
    fn the_parts_of_libc_are_found_in_zigs_link_command() {
        let said = "warning: x\nwasm-ld -o probe.wasm /z/o/1/crt1-command.o /z/o/2/libc.a /z/o/3/libzigc.a probe.o /z/o/4/libcompiler_rt.a\n";
        let found = parts(said).expect("all are there");
        let paths: Vec<_> = found
            .iter()
            .map(|(_, path)| path.to_str().expect("text"))
            .collect();
        assert_eq!(
            paths,
            [
                "/z/o/1/crt1-command.o",
                "/z/o/2/libc.a",
                "/z/o/3/libzigc.a",
                "/z/o/4/libcompiler_rt.a"
            ]
        );
    }

    #[test]
    fn a_missing_part_is_named() {
        let error = parts("wasm-ld /z/crt1-command.o /z/libzigc.a").expect_err("libc.a is missing");
        assert!(matches!(
            error,
            Error::NoLibrary {
                library: "libc.a",
                ..
            }
        ));
    }
}
