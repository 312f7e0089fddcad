//! Words that may not stand in the tree, or only in some folders.

use std::env;
use std::path::Path;

use super::Fault;
use super::tree::{File, Tree};

/// A word, where it may stand, and why not elsewhere. The words are written in two halves, so that this file is clean.
struct Rule<'a> {
    word: &'a str,
    /// Whether the word only counts where a path may begin: not within a longer path or name.
    path: bool,
    /// Extensions of the files that are looked at; none means all.
    extensions: &'static [&'static str],
    /// Folders where it may stand.
    allowed: &'static [&'static str],
    what: &'static str,
    mend: &'static str,
}

/// A name that must be had from the machine's or the tool's own configuration.
const fn host(word: &'static str) -> Rule<'static> {
    Rule {
        word,
        path: false,
        extensions: &[],
        allowed: &[],
        what: "names a package registry's host",
        mend: "let the registry's own client find it, or read the machine's configuration",
    }
}

/// A folder that another machine does not have.
const fn folder(word: &str) -> Rule<'_> {
    Rule {
        word,
        path: true,
        extensions: &[],
        allowed: &[],
        what: "names a path of one machine",
        mend: "use a path from the checkout, from the cache or from a temporary folder",
    }
}

const fn left_over(word: &'static str) -> Rule<'static> {
    Rule {
        word,
        path: false,
        extensions: &["rs"],
        allowed: &[],
        what: "is not finished",
        mend: "finish it, or take it out",
    }
}

const RULES: &[Rule<'static>] = &[
    Rule {
        word: concat!("Js", "Value"),
        path: false,
        extensions: &["rs"],
        allowed: &["loader/js", "host/worker"],
        what: "mentions a JavaScript value outside of `loader/js` and `host/worker`",
        mend: "move it there, behind the `Engine` or a host trait",
    },
    host(concat!("pypi", ".org")),
    host(concat!("python", "hosted.org")),
    host(concat!("crates", ".io")),
    host(concat!("npm", "js.org")),
    host(concat!("npm", "js.com")),
    host(concat!("yarn", "pkg.com")),
    host(concat!("deb.", "debian.org")),
    host(concat!("security.", "debian.org")),
    host(concat!("static.", "rust-lang.org")),
    host(concat!("proxy.", "golang.org")),
    host(concat!("anaconda", ".org")),
    left_over(concat!("#[", "ignore")),
    left_over(concat!("todo", "!(")),
    left_over(concat!("unimplemented", "!(")),
];

/// Files that cargo or npm writes: a lock file names the registry that its packages are from.
const WRITTEN_BY_TOOLS: &[&str] = &["Cargo.lock"];

/// `machine` are folders of the machine that runs this: where the checkout lies, and the user's home.
pub(super) fn check(tree: &Tree, machine: &[String]) -> Vec<Fault> {
    let folders: Vec<_> = machine.iter().map(|word| folder(word)).collect();
    let mut faults = Vec::new();
    for file in tree
        .0
        .iter()
        .filter(|file| !WRITTEN_BY_TOOLS.contains(&file.name()))
    {
        let rules = RULES.iter().chain(&folders);
        faults.extend(rules.flat_map(|rule| rule.check(file)));
    }
    faults
}

/// Where this checkout lies and who works in it: what a file may have been given by mistake. Each ends with `/`.
pub(super) fn machine(root: &Path) -> Vec<String> {
    let home = env::home_dir();
    let shared = [
        "/", "/tmp", "/home", "/usr", "/usr/src", "/opt", "/srv", "/var",
    ];
    [Some(root), root.parent(), home.as_deref()]
        .into_iter()
        .flatten()
        .map(|folder| folder.to_string_lossy().into_owned())
        .filter(|folder| !shared.contains(&folder.as_str()))
        .map(|folder| folder + "/")
        .collect()
}

impl Rule<'_> {
    fn check(&self, file: &File) -> Vec<Fault> {
        let exempt = self.allowed.iter().any(|folder| file.is_under(folder))
            || !self.extensions.is_empty() && !file.has_extension(self.extensions);
        if exempt || !file.text.contains(self.word) {
            return Vec::new();
        }
        let hits = file.lines().filter(|(_, line)| self.stands_in(line));
        hits.map(|(at, _)| {
            Fault::new(
                format!("{}:{at}", file.path),
                format!("`{}` {}", self.word, self.what),
                self.mend,
            )
        })
        .collect()
    }

    fn stands_in(&self, line: &str) -> bool {
        line.match_indices(self.word).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !self.path
                || !before
                    .is_some_and(|letter| letter.is_alphanumeric() || "._-/}~*".contains(letter))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(path: &str, text: &str) -> Vec<String> {
        check(&Tree(vec![File::new(path, text)]), &["/srv/me/".to_owned()])
            .into_iter()
            .map(|fault| fault.place)
            .collect()
    }

    #[test]
    fn javascript_stays_in_its_two_folders() {
        let text = concat!("fn f(value: Js", "Value) {}\n");
        assert_eq!(
            places("host/core/src/lib.rs", text),
            ["host/core/src/lib.rs:1"]
        );
        assert!(places("host/worker/src/lib.rs", text).is_empty());
        assert!(places("ARCHITECTURE.md", text).is_empty());
    }

    #[test]
    fn registries_and_machines_are_not_named() {
        assert_eq!(
            places(
                "a.toml",
                concat!("\nurl = \"https://py", "pi.org/simple\"\n")
            ),
            ["a.toml:2"]
        );
        assert_eq!(places("a.py", "open('/srv/me/x')\n"), ["a.py:1"]);
        assert!(places("a.md", "host/srv/me/x, $DIR/srv/me/y and /srv/men\n").is_empty());
        assert!(places("Cargo.lock", concat!("source = \"crates", ".io-index\"\n")).is_empty());
    }

    #[test]
    fn left_overs_are_found() {
        assert_eq!(
            places(
                "a.rs",
                concat!("#[test]\n#[", "ignore]\nfn f() { todo", "!() }\n")
            ),
            ["a.rs:2", "a.rs:3"]
        );
    }
}
