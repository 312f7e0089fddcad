//! A gcc command line, parsed once: what is wanted, from what, and what of it means something on wasm32-wasi.

use super::linker::{LinkArgs, Module};

/// C or C++: which standard headers and libraries are at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `pymode cc`.
    C,
    /// `pymode c++`.
    Cxx,
}

impl Language {
    /// Returns the name of the driver for it, ours and zig's.
    pub fn tool(self) -> &'static str {
        match self {
            Self::C => "cc",
            Self::Cxx => "c++",
        }
    }
}

/// The goal of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// A question such as `--version`: no input, an answer on stdout.
    Ask,
    /// The linker's version: build systems recognise the linker by it.
    AskLinker,
    /// Objects, assembly or preprocessed text: no linker.
    Compile,
    /// Objects, then a module.
    Link(Module),
}

/// A parsed command line.
#[derive(Clone, Debug)]
pub(super) struct Invocation {
    /// The goal.
    pub(super) goal: Goal,
    /// The compiler's flags, without inputs when linking: `-I`, `-D`, `-O2`, …
    pub(super) compile: Vec<String>,
    /// Inputs, libraries and linker flags in their order; order matters to a linker.
    pub(super) link: LinkArgs,
    /// Sentences about flags that are ignored and matter.
    pub(super) notes: Vec<String>,
}

/// Flags that take the next word as their value.
const WITH_VALUE: &[&str] = &[
    "-I",
    "-D",
    "-U",
    "-include",
    "-imacros",
    "-isystem",
    "-iquote",
    "-idirafter",
    "-isysroot",
    "-iprefix",
    "-iwithprefix",
    "-MF",
    "-MT",
    "-MQ",
    "-x",
    "-arch",
    "-Xclang",
    "-Xpreprocessor",
    "-Xassembler",
    "-mllvm",
    "--param",
    "-target",
    "--sysroot",
    "-u",
    "-T",
    "-z",
    "-h",
    "-e",
    "-framework",
];

/// Questions: with one of these there is nothing to build.
const QUESTIONS: &[&str] = &[
    "--version",
    "-dumpmachine",
    "-dumpversion",
    "-dumpfullversion",
    "--help",
    "-dumpspecs",
    "-###",
];

impl Invocation {
    /// Parses the words after the program's name. Response files are expanded already.
    pub(super) fn parse(args: &[String]) -> Self {
        Parser::default().parse(args)
    }

    /// Asks for no debug information, unless the words ask for some: zig adds it by itself, gcc does not.
    pub(super) fn name_debug_info(&mut self) {
        if !self.compile.iter().any(|word| word.starts_with("-g")) {
            self.compile.push("-g0".to_owned());
        }
    }
}

#[derive(Default)]
struct Parser {
    compile: Vec<String>,
    link: LinkArgs,
    notes: Vec<String>,
    no_link: bool,
    shared: bool,
    ask: bool,
    ask_linker: bool,
    verbose: bool,
}

impl Parser {
    fn parse(mut self, args: &[String]) -> Invocation {
        let mut words = args.iter().map(String::as_str).peekable();
        while let Some(word) = words.next() {
            match word {
                "-c" | "-S" | "-E" | "-fsyntax-only" | "-M" | "-MM" => {
                    self.no_link = true;
                    self.compile.push(word.to_owned());
                }
                "-o" => self.link.output = words.next().map(str::to_owned),
                "-shared" | "-bundle" | "-dynamiclib" => self.shared = true,
                "-rdynamic" => {
                    self.link.may_dlopen = true;
                    self.link.lends_all = true;
                }
                "-v" | "--verbose" => self.verbose = true,
                "-Xlinker" => {
                    if let Some(value) = words.next() {
                        self.linker_word(value);
                    }
                }
                "-l" | "-L" => {
                    if let Some(value) = words.next() {
                        self.word(&format!("{word}{value}"));
                    }
                }
                "-z" | "-h" | "-e" | "-T" | "-framework" | "-isysroot" | "--sysroot" | "-arch" => {
                    words.next(); // About another platform's files.
                }
                "-u" => {
                    if let Some(value) = words.next() {
                        self.link.flags.push(format!("--undefined={value}"));
                    }
                }
                "-target" => {
                    if let Some(value) = words.next() {
                        self.target(value);
                    }
                }
                "-I" | "-isystem" | "-idirafter" | "-iquote" => {
                    if let Some(dir) = words.next()
                        && self.is_of_target(word, dir)
                    {
                        self.compile.extend([word.to_owned(), dir.to_owned()]);
                    }
                }
                _ if WITH_VALUE.contains(&word) => {
                    self.compile.push(word.to_owned());
                    self.compile.extend(words.next().map(str::to_owned));
                }
                _ => self.word(word),
            }
        }
        let Self {
            compile,
            link,
            notes,
            no_link,
            shared,
            ask,
            ask_linker,
            verbose,
        } = self;
        let nothing_to_do = link.inputs.is_empty();
        let goal = if ask_linker {
            Goal::AskLinker
        } else if ask || (verbose && nothing_to_do) {
            Goal::Ask
        } else if no_link {
            Goal::Compile
        } else if shared {
            Goal::Link(Module::Side)
        } else {
            Goal::Link(Module::Main)
        };
        let mut invocation = Invocation {
            goal,
            compile,
            link,
            notes,
        };
        if invocation.goal == Goal::Link(Module::Side) {
            let left_out = invocation.link.absolute_path.drain(..);
            invocation.notes.extend(left_out.map(|dir| {
                format!("the run path `{dir}` is left out: only `$ORIGIN` and below exists where the module will run")
            }));
        }
        if verbose {
            invocation.compile.push("-v".to_owned());
        }
        invocation
    }

    /// A word that stands alone.
    fn word(&mut self, word: &str) {
        if let Some(list) = word.strip_prefix("-Wl,") {
            // `-Wl,-rpath,DIR` is two words for the linker.
            for part in list.split(',') {
                self.linker_word(part);
            }
        } else if let Some(name) = word.strip_prefix("-l") {
            self.link.library(name);
        } else if let Some(dir) = word.strip_prefix("-L") {
            if self.is_of_target("-L", dir) {
                self.link
                    .inputs
                    .push(super::linker::Input::SearchDir(dir.to_owned()));
            }
        } else if let Some(target) = word.strip_prefix("--target=") {
            self.target(target);
        } else if QUESTIONS.contains(&word)
            || word.starts_with("-print-")
            || word.starts_with("--print-")
        {
            self.ask = true;
            self.compile.push(word.to_owned());
        } else if let Some(dir) = word.strip_prefix("-I") {
            if self.is_of_target("-I", dir) {
                self.compile.push(word.to_owned());
            }
        } else if word.starts_with('-') && word != "-" {
            self.flag(word);
        } else {
            self.link
                .inputs
                .push(super::linker::Input::File(word.to_owned()));
        }
    }

    fn linker_word(&mut self, word: &str) {
        if word == "--version" || word == "-v" {
            self.ask_linker = true;
        } else if let Err(note) = self.link.word(word) {
            self.note(note);
        }
    }

    fn flag(&mut self, flag: &str) {
        match flag {
            "-fsemantic-interposition" => self.link.interposes = true,
            "-fno-semantic-interposition" => self.link.interposes = false,
            "-pthread" | "-pthreads" => self.link.has_threads = true,
            _ => {}
        }
        match meaning(flag) {
            Meaning::Pass => self.compile.push(flag.to_owned()),
            Meaning::Nothing => {}
            Meaning::Note(why) => self.note(format!("`{flag}` is left out: {why}")),
        }
    }

    fn target(&mut self, target: &str) {
        if !target.starts_with("wasm32") {
            self.note(format!(
                "`-target {target}` is left out: this compiles for wasm32-wasi"
            ));
        }
    }

    /// Headers and libraries of the machine that builds are never those of the target.
    fn is_of_target(&mut self, flag: &str, dir: &str) -> bool {
        let host = [
            "/usr/include",
            "/usr/local/include",
            "/usr/lib",
            "/usr/local/lib",
            "/lib",
            "/lib64",
        ];
        let trimmed = dir.trim_end_matches('/');
        let is_host = host.iter().any(|base| {
            trimmed == *base
                || trimmed
                    .strip_prefix(base)
                    .is_some_and(|rest| rest.starts_with('/'))
        });
        if is_host {
            self.note(format!(
                "`{flag} {dir}` is left out: it belongs to this machine, not to wasm32-wasi"
            ));
        }
        !is_host
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

enum Meaning {
    /// The compiler takes it.
    Pass,
    /// It has no meaning here, and is not needed.
    Nothing,
    /// Dropped, with a note for the author.
    Note(&'static str),
}

/// The meaning of a compiler flag on wasm32-wasi.
fn meaning(flag: &str) -> Meaning {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| flag.starts_with(prefix));
    if matches!(
        flag,
        "-pthread"
            | "-pthreads"
            | "-mthreads"
            | "-pipe"
            | "-static"
            | "-static-libgcc"
            | "-nostartfiles"
    ) || matches!(
        flag,
        "-m32" | "-m64" | "-fno-plt" | "-fno-semantic-interposition"
    ) || matches!(
        flag,
        "-fPIC"
            | "-fpic"
            | "-fPIE"
            | "-fpie"
            | "-pie"
            | "-no-pie"
            | "-fno-PIC"
            | "-fno-pic"
            | "-fno-PIE"
            | "-fno-pie"
    ) || starts(&[
        "-fcf-protection",
        "-fstack-clash-protection",
        "-fstack-protector",
        "-specs=",
        "-fuse-ld=",
    ]) || starts(&[
        "-static-libstdc++",
        "-fdebug-prefix-map",
        "-fno-gnu-unique",
        "-mno-",
        "-undefined",
    ]) {
        return Meaning::Nothing;
    }
    if matches!(
        flag,
        "-msimd128" | "-mrelaxed-simd" | "-mtail-call" | "-mbulk-memory" | "-mexception-handling"
    ) {
        return Meaning::Pass;
    }
    if starts(&[
        "-march=",
        "-mtune=",
        "-mcpu=",
        "-mfpmath=",
        "-mfpu=",
        "-mavx",
        "-msse",
        "-mssse",
        "-mfma",
        "-mbmi",
        "-mpopcnt",
        "-maes",
        "-mpclmul",
        "-mf16c",
        "-mlzcnt",
        "-mxsave",
        "-mabm",
        "-mvsx",
        "-maltivec",
    ]) {
        return Meaning::Note("it names a feature of another processor");
    }
    if starts(&["-flto", "-ffat-lto-objects", "-fwhole-program"]) {
        return Meaning::Nothing;
    }
    if starts(&["-fopenmp"]) {
        return Meaning::Note("there are no threads for OpenMP");
    }
    if starts(&["-fsanitize", "-fprofile", "-fcoverage", "--coverage", "-pg"]) {
        return Meaning::Note("its runtime library does not exist for wasm32-wasi");
    }
    Meaning::Pass
}

#[cfg(test)]
mod tests {
    use super::super::linker::Input;
    use super::*;

    fn parse(line: &str) -> Invocation {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Invocation::parse(&args)
    }

    #[test]
    fn what_setuptools_passes_to_compile() {
        let got = parse(
            "-pthread -fno-strict-overflow -Wsign-compare -DNDEBUG -g -O3 -Wall -fPIC -I/usr/include/python3 -Iinc -c a.c -o build/a.o",
        );
        assert_eq!(got.goal, Goal::Compile);
        assert_eq!(
            got.compile,
            [
                "-fno-strict-overflow",
                "-Wsign-compare",
                "-DNDEBUG",
                "-g",
                "-O3",
                "-Wall",
                "-Iinc",
                "-c"
            ]
        );
        assert_eq!(got.link.output.as_deref(), Some("build/a.o"));
        assert_eq!(got.link.inputs, [Input::File("a.c".to_owned())]);
        assert_eq!(
            got.notes.len(),
            1,
            "the host's headers are named: {:?}",
            got.notes
        );
    }

    #[test]
    fn what_setuptools_passes_to_link() {
        let got = parse(
            "-pthread -shared -Wl,-O1 -Wl,-Bsymbolic-functions -Wl,-rpath,$ORIGIN/../foo.libs -Wl,-rpath=/opt a.o -Lb -L/usr/lib/x -lm -lpthread -ldl -lfoo -o a.wasm",
        );
        assert_eq!(got.goal, Goal::Link(Module::Side));
        assert_eq!(
            got.link.inputs,
            [
                Input::File("a.o".to_owned()),
                Input::SearchDir("b".to_owned()),
                Input::Library("foo".to_owned())
            ]
        );
        assert_eq!(got.link.runtime_path, ["$ORIGIN/../foo.libs"]);
        assert!(
            got.notes.iter().any(|note| note.contains("/opt")),
            "{:?}",
            got.notes
        );
    }

    #[test]
    fn questions_need_no_input() {
        assert_eq!(parse("--version").goal, Goal::Ask);
        assert_eq!(parse("-print-search-dirs").goal, Goal::Ask);
        assert_eq!(parse("-v").goal, Goal::Ask);
        assert_eq!(parse("-v -c a.c").goal, Goal::Compile);
        assert_eq!(parse("-Wl,--version").goal, Goal::AskLinker);
        assert_eq!(parse("a.c -o a").goal, Goal::Link(Module::Main));
    }

    #[test]
    fn other_processors_are_named_and_left_out() {
        let got = parse("-march=native -mavx2 -msimd128 -c a.c");
        assert_eq!(got.compile, ["-msimd128", "-c"]);
        assert_eq!(got.notes.len(), 2);
    }
}
