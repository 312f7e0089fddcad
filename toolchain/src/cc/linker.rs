//! Translates a gcc link line for `wasm-ld`.

/// The type of the linked module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Module {
    /// `-shared`: loaded by another module.
    Side,
    /// A program.
    Main,
}

/// One thing on a link line that has a place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A source, object, archive or shared module.
    File(String),
    /// `-lNAME`.
    Library(String),
    /// `-LDIR`.
    SearchDir(String),
    /// `--whole-archive` and its like: holds for what follows.
    Flag(String),
}

/// The link line.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkArgs {
    /// `-o`.
    pub(super) output: Option<String>,
    /// Inputs in their order.
    pub(super) inputs: Vec<Input>,
    /// Flags whose place does not matter.
    pub(super) flags: Vec<String>,
    /// Directories where the module's own libraries lie: `$ORIGIN` and below.
    pub(super) runtime_path: Vec<String>,
    /// Other directories, where only a program's libraries can lie.
    pub(super) absolute_path: Vec<String>,
    /// `-Bsymbolic` and its like.
    pub(super) symbolic: Option<Symbolic>,
    /// `-fsemantic-interposition`: other modules may come before all of its functions.
    pub(super) interposes: bool,
    /// A program that loads modules, and lends them its libc.
    pub(super) may_dlopen: bool,
    /// `-pthread`, or its library: a program may start threads.
    pub(super) has_threads: bool,
    /// `-rdynamic`: it lends them its own symbols, too.
    pub(super) lends_all: bool,
    /// The C++ library was asked for by name.
    pub(super) cxx_library: bool,
    /// A flag that waits for its value: `-rpath` of `-Wl,-rpath,DIR`.
    waits: Option<Waiting>,
}

/// Which of a module's symbols are bound to its own definitions, even if other modules define them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbolic {
    /// `-Bsymbolic`.
    All,
    /// `-Bsymbolic-functions`.
    Functions,
}

#[derive(Clone, Copy, Debug)]
enum Waiting {
    RuntimePath,
    Nothing,
    Flag(&'static str),
}

/// Libraries that are part of python.wasm or of libc: a side module imports what it needs of them.
const PROVIDED: &[&str] = &[
    "c",
    "m",
    "dl",
    "pthread",
    "rt",
    "util",
    "resolv",
    "nsl",
    "crypt",
    "gcc",
    "gcc_s",
    "clang_rt.builtins",
    "python3",
    "python3.13",
    "atomic",
    "quadmath",
];

impl LinkArgs {
    /// `-lNAME`.
    pub(super) fn library(&mut self, name: &str) {
        if name == "dl" {
            self.may_dlopen = true;
        }
        if name == "pthread" {
            self.has_threads = true;
        }
        if matches!(name, "stdc++" | "c++" | "c++abi" | "supc++") {
            self.cxx_library = true;
        } else if !PROVIDED.contains(&name) {
            self.inputs.push(Input::Library(name.to_owned()));
        }
    }

    /// One word for the linker, from `-Wl,` or `-Xlinker`.
    ///
    /// # Errors
    /// A note, when the word is left out and may be missed.
    pub(super) fn word(&mut self, word: &str) -> Result<(), String> {
        if let Some(waiting) = self.waits.take() {
            return match waiting {
                Waiting::RuntimePath => {
                    self.add_runtime_path(word);
                    Ok(())
                }
                Waiting::Nothing => Ok(()),
                Waiting::Flag(flag) => {
                    self.flags.push(format!("{flag}={word}"));
                    Ok(())
                }
            };
        }
        let name = word.trim_start_matches('-');
        let (key, value) = match name.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (name, None),
        };
        match (key, value) {
            ("rpath" | "R", Some(dir)) => self.add_runtime_path(dir),
            ("rpath" | "R", None) => self.waits = Some(Waiting::RuntimePath),
            (
                "soname" | "h" | "z" | "rpath-link" | "version-script" | "dynamic-linker" | "Map",
                None,
            ) => {
                self.waits = Some(Waiting::Nothing);
            }
            ("whole-archive" | "no-whole-archive", None) => {
                self.inputs.push(Input::Flag(format!("--{key}")))
            }
            ("export-dynamic" | "E", None) => {
                self.may_dlopen = true;
                self.lends_all = true;
            }
            ("export" | "export-if-defined", Some(symbol)) => {
                self.flags.push(format!("--{key}={symbol}"));
            }
            ("export", None) => {
                self.waits = Some(Waiting::Flag("--export"));
            }
            ("undefined" | "u" | "wrap", Some(symbol)) => {
                self.flags.push(format!("--{key}={symbol}"))
            }
            (
                "gc-sections" | "no-gc-sections" | "strip-all" | "strip-debug"
                | "print-gc-sections" | "trace",
                None,
            ) => {
                self.flags.push(format!("--{key}"));
            }
            ("Bsymbolic", None) => self.symbolic = Some(Symbolic::All),
            ("Bsymbolic-functions", None) => {
                self.symbolic.get_or_insert(Symbolic::Functions);
            }
            ("s" | "S" | "x" | "t", None) => {}
            (_, _) if is_elf_only(key) => {}
            _ if !word.starts_with('-') => self.inputs.push(Input::File(word.to_owned())),
            _ => {
                return Err(format!(
                    "`-Wl,{word}` is left out: wasm-ld has nothing like it"
                ));
            }
        }
        Ok(())
    }

    fn add_runtime_path(&mut self, dir: &str) {
        if dir.starts_with("$ORIGIN") || dir.starts_with("${ORIGIN}") {
            self.runtime_path.push(dir.to_owned());
        } else {
            self.absolute_path.push(dir.to_owned());
        }
    }
}

/// Linker flags that tune ELF, Mach-O or a link's checks, and mean nothing in wasm.
fn is_elf_only(key: &str) -> bool {
    const KEYS: &[&str] = &[
        "soname",
        "as-needed",
        "no-as-needed",
        "no-undefined",
        "no-allow-shlib-undefined",
        "allow-shlib-undefined",
        "start-group",
        "end-group",
        "hash-style",
        "build-id",
        "sort-common",
        "enable-new-dtags",
        "disable-new-dtags",
        "exclude-libs",
        "version-script",
        "dynamic-list",
        "unresolved-symbols",
        "warn-common",
        "fatal-warnings",
        "no-fatal-warnings",
        "icf",
        "eh-frame-hdr",
        "discard-all",
        "discard-locals",
        "Bstatic",
        "Bdynamic",
        "dead_strip",
        "headerpad_max_install_names",
        "no-copy-dt-needed-entries",
        "rpath-link",
        "no-keep-memory",
        "stats",
        "threads",
        "package-metadata",
        "dead_strip_dylibs",
        "pie",
        "no-pie",
        "relax",
        "(",
        ")",
    ];
    KEYS.contains(&key)
        || matches!(key.strip_prefix('O'), Some(level) if level.bytes().all(|b| b.is_ascii_digit()))
        || key.starts_with("z,")
        || key == "lto"
        || key.starts_with("plugin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_be_the_next_word() {
        let mut args = LinkArgs::default();
        for word in [
            "-rpath", "$ORIGIN", "-soname", "libx.so", "-z", "relro", "--export", "f", "-z,now",
        ] {
            args.word(word).expect("nothing to tell");
        }
        assert_eq!(args.runtime_path, ["$ORIGIN"]);
        assert_eq!(args.flags, ["--export=f"]);
        assert!(args.inputs.is_empty());
    }

    #[test]
    fn flags_for_other_platforms_are_reported() {
        let mut args = LinkArgs::default();
        assert!(args.word("--defsym=a=b").is_err());
    }

    #[test]
    fn whole_archive_keeps_its_place() {
        let mut args = LinkArgs::default();
        args.word("--whole-archive").expect("nothing to tell");
        args.library("x");
        args.word("--no-whole-archive").expect("nothing to tell");
        assert_eq!(
            args.inputs,
            [
                Input::Flag("--whole-archive".to_owned()),
                Input::Library("x".to_owned()),
                Input::Flag("--no-whole-archive".to_owned())
            ]
        );
    }
}
