//! Words that are forbidden everywhere, or outside some folders.

use std::env;
use std::path::Path;

use super::Finding;
use super::tree::{File, Tree};

/// A word, the folders that may use it, and the reason. The words are written in two halves, so that this file passes.
struct Rule<'a> {
    word: &'a str,
    /// `true` if the word only counts at the start of a path, not within a longer path or name.
    path: bool,
    /// Extensions of the files to check; empty for all.
    extensions: &'static [&'static str],
    /// Folders that may use it.
    allowed: &'static [&'static str],
    what: &'static str,
    fix: &'static str,
}

/// A host that the machine's or a tool's own configuration must name.
const fn host(word: &'static str) -> Rule<'static> {
    Rule {
        word,
        path: false,
        extensions: &[],
        allowed: &[],
        what: "names a package registry's host",
        fix: "use the registry's own client, or read the machine's configuration",
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
        fix: "use a path from the checkout, from the cache or from a temporary folder",
    }
}

const fn left_over(word: &'static str) -> Rule<'static> {
    Rule {
        word,
        path: false,
        extensions: &["rs"],
        allowed: &[],
        what: "is unfinished",
        fix: "finish it, or remove it",
    }
}

const RULES: &[Rule<'static>] = &[
    Rule {
        word: concat!("Js", "Value"),
        path: false,
        extensions: &["rs"],
        allowed: &["loader/js", "host/worker"],
        what: "mentions a JavaScript value outside of `loader/js` and `host/worker`",
        fix: "move it there, behind the `Engine` or a host trait",
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

/// Files that cargo or npm writes: a lock file names the registry of its packages.
const WRITTEN_BY_TOOLS: &[&str] = &["Cargo.lock"];

/// Checks all files. `machine` lists folders of this machine: the checkout's, and the user's home.
pub(super) fn check(tree: &Tree, machine: &[String]) -> Vec<Finding> {
    let folders: Vec<_> = machine.iter().map(|word| folder(word)).collect();
    let mut findings = Vec::new();
    for file in tree
        .0
        .iter()
        .filter(|file| !WRITTEN_BY_TOOLS.contains(&file.name()))
    {
        let rules = RULES.iter().chain(&folders);
        findings.extend(rules.flat_map(|rule| rule.check(file)));
    }
    findings
}

/// Folders of this machine that may get into a file by mistake: the checkout's and the user's. Each ends with `/`.
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
    fn check(&self, file: &File) -> Vec<Finding> {
        let exempt = self.allowed.iter().any(|folder| file.is_under(folder))
            || !self.extensions.is_empty() && !file.has_extension(self.extensions);
        if exempt || !file.text.contains(self.word) {
            return Vec::new();
        }
        let hits = file.lines().filter(|(_, line)| self.stands_in(line));
        hits.map(|(at, _)| {
            Finding::new(
                format!("{}:{at}", file.path),
                format!("`{}` {}", self.word, self.what),
                self.fix,
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

    fn locations(path: &str, text: &str) -> Vec<String> {
        check(&Tree(vec![File::new(path, text)]), &["/srv/me/".to_owned()])
            .into_iter()
            .map(|finding| finding.location)
            .collect()
    }

    #[test]
    fn javascript_stays_in_its_two_folders() {
        let text = concat!("fn f(value: Js", "Value) {}\n");
        assert_eq!(
            locations("host/core/src/lib.rs", text),
            ["host/core/src/lib.rs:1"]
        );
        assert!(locations("host/worker/src/lib.rs", text).is_empty());
        assert!(locations("ARCHITECTURE.md", text).is_empty());
    }

    #[test]
    fn registries_and_machines_are_not_named() {
        assert_eq!(
            locations(
                "a.toml",
                concat!("\nurl = \"https://py", "pi.org/simple\"\n")
            ),
            ["a.toml:2"]
        );
        assert_eq!(locations("a.py", "open('/srv/me/x')\n"), ["a.py:1"]);
        assert!(locations("a.md", "host/srv/me/x, $DIR/srv/me/y and /srv/men\n").is_empty());
        assert!(locations("Cargo.lock", concat!("source = \"crates", ".io-index\"\n")).is_empty());
    }

    #[test]
    fn left_overs_are_found() {
        assert_eq!(
            locations(
                "a.rs",
                concat!("#[test]\n#[", "ignore]\nfn f() { todo", "!() }\n")
            ),
            ["a.rs:2", "a.rs:3"]
        );
    }
}
