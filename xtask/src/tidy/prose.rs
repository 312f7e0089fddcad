//! Plain English: summaries of documentation, phrases, words in names, and commit titles. `STYLE.md` has the rules.
//!
//! The patterns contain a `[ ]` or a group where the phrase would otherwise match this file itself.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;

use super::Finding;
use super::tree::{File, Tree};
use crate::error::Error;
use crate::run;

/// First words of a clause, which a summary must not be.
static CLAUSE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*//[/!] (What|Whether|How|Where|Who)\b"));

/// Phrases that a reader has to translate, and their replacements.
static PHRASES: LazyLock<[(Regex, &str); 5]> = LazyLock::new(|| {
    [
        (
            pattern(r"(?i)(?:\b(?:it|this|that|which)|`)[ ]is no\b(?:[ ]longer)?"),
            "write \"invalid …\", \"not a …\" or \"is not a …\"",
        ),
        (
            pattern(r"\b(?:is|are|be|was)[ ]told\b"),
            "name the actor: \"fails with …\", \"receives …\", \"reports …\"",
        ),
        (pattern(r"(?i)\bwho[e]ver\b"), "name the actor"),
        (
            pattern(r"\bto[ ]be had\b|\b(?:can|cannot)[ ]be had\b"),
            "write \"available\", \"could not find …\"",
        ),
        (
            pattern(r"\bgoes on[ ]behind\b|\bnot so[ ]that\b"),
            "write \"trailing bytes after …\", or what is wrong",
        ),
    ]
});

/// Private words, which no name contains. `ARCHITECTURE.md` has the terms.
const PRIVATE: &[(&str, &str)] = &[
    ("bell", "wakeup"),
    ("door", "thunk"),
    ("doubt", "severity"),
    ("murmur", "trace"),
    ("murmurs", "trace"),
    ("paper", "dry run"),
    ("talk", "reporter"),
    ("ticket", "stub module"),
    ("told", "message"),
    ("workshop", "build context"),
];

/// The longest title of a commit.
const LONGEST_TITLE: usize = 72;

/// Extensions of files with prose.
const TEXT: &[&str] = &["js", "md", "py", "rs", "sh", "toml"];

/// Files that contain the phrases as examples, or words of others.
const EXEMPT: &[&str] = &["STYLE.md", "extensions/survey.txt"];

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant")
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let files = tree.0.iter().filter(|file| {
        file.has_extension(TEXT)
            && !EXEMPT.contains(&file.path.as_str())
            && !file.is_under("bench/results")
    });
    files
        .flat_map(|file| [summaries(file), phrases(file), names(file)])
        .flatten()
        .collect()
}

fn summaries(file: &File) -> Vec<Finding> {
    if !file.has_extension(&["rs"]) {
        return Vec::new();
    }
    let mut inside = false;
    let mut findings = Vec::new();
    for (at, line) in file.lines() {
        let text = line.trim_start();
        let is_doc = text.starts_with("///") || text.starts_with("//!");
        if is_doc && !inside && CLAUSE.is_match(line) {
            findings.push(Finding::new(
                format!("{}:{at}", file.path),
                "the summary is a clause",
                "begin with a noun phrase or a verb, such as \"Returns …\" or \"Number of …\"",
            ));
        }
        inside = is_doc;
    }
    findings
}

fn phrases(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.lines() {
        for (phrase, fix) in PHRASES.iter() {
            let mut found = phrase.find_iter(line).map(|found| found.as_str());
            if let Some(text) = found.find(|text| !text.ends_with("longer")) {
                let what = format!("the phrase \"{text}\"");
                findings.push(Finding::new(format!("{}:{at}", file.path), what, *fix));
            }
        }
    }
    findings
}

/// Finds private words in a Rust file's names, comments and texts.
fn names(file: &File) -> Vec<Finding> {
    // The list of words is here.
    if !file.has_extension(&["rs"]) || file.path.ends_with("tidy/prose.rs") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (at, line) in file.lines() {
        for (private, term) in PRIVATE {
            if words(line).any(|word| word == *private) {
                findings.push(Finding::new(
                    format!("{}:{at}", file.path),
                    format!("the private word `{private}`"),
                    format!("write \"{term}\", or another term of ARCHITECTURE.md's glossary"),
                ));
            }
        }
    }
    findings
}

/// The words of a line in lower case. `snake_case` and `CamelCase` names are several.
fn words(line: &str) -> impl Iterator<Item = String> + '_ {
    line.split(|c: char| !c.is_ascii_alphabetic())
        .flat_map(|name| {
            let mut parts: Vec<String> = Vec::new();
            let mut was_lower = false;
            for c in name.chars() {
                if parts.is_empty() || c.is_ascii_uppercase() && was_lower {
                    parts.push(String::new());
                }
                was_lower = c.is_ascii_lowercase();
                if let Some(part) = parts.last_mut() {
                    part.push(c.to_ascii_lowercase());
                }
            }
            parts
        })
}

/// Checks the titles of all commits since the rules exist.
pub(super) fn commits(root: &Path) -> Result<Vec<Finding>, Error> {
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(root).args(args);
        run::stdout(git)
    };
    let first = git(&["log", "--diff-filter=A", "--format=%H", "--", "STYLE.md"])?;
    let Some(first) = first.lines().last() else {
        return Ok(Vec::new());
    };
    let range = format!("{first}..HEAD");
    let log = git(&["log", "--no-merges", "--format=%h %s", &range])?;
    let titles = log.lines().filter_map(|line| line.split_once(' '));
    Ok(titles
        .filter_map(|(commit, title)| {
            let what = invalid_title(title)?;
            let fix = "write `area: what`, in the imperative";
            Some(Finding::new(format!("commit {commit}"), what, fix))
        })
        .collect())
}

/// The fault of a commit's title, if it has one.
fn invalid_title(title: &str) -> Option<String> {
    let length = title.chars().count();
    let has_area = title.split_once(": ").is_some_and(|(area, what)| {
        !what.is_empty()
            && area
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "/_-,. ".contains(c))
    });
    if length > LONGEST_TITLE {
        Some(format!(
            "the title has {length} characters, at most {LONGEST_TITLE} are allowed"
        ))
    } else if !has_area {
        Some(format!("the title `{title}` has no area"))
    } else if title.ends_with('.') {
        Some(format!("the title `{title}` ends with a full stop"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(path: &str, text: &str) -> Vec<String> {
        check(&Tree(vec![File::new(path, text)]))
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn a_summary_must_not_be_a_clause() {
        let clause =
            "/// What it does.\nfn f() {}\n\n/// Returns it.\n/// Whether so or not.\nfn g() {}\n";
        assert_eq!(whats("a.rs", clause), ["the summary is a clause"]);
        assert!(whats("a.rs", "// What a day.\n/// Whoami, a name.\n").is_empty());
        assert!(whats("a.md", "/// What\n").is_empty());
    }

    #[test]
    fn phrases_are_found_in_all_texts() {
        for text in [
            concat!("`x` is", " no version"),
            concat!("who", "ever reads"),
            concat!("The guest is", " told so"),
            concat!("when it cannot", " be had"),
        ] {
            assert_eq!(whats("a.md", text).len(), 1, "{text}");
        }
        for text in ["there is no file", "it is no longer there", "is toldo"] {
            assert!(whats("a.md", text).is_empty(), "{text}");
        }
    }

    #[test]
    fn private_words_are_found_in_names() {
        assert_eq!(
            whats("a.rs", concat!("fn serve_do", "or() {}\n")),
            ["the private word `door`"]
        );
        assert_eq!(
            whats("a.rs", concat!("struct ImportDo", "or;\n")),
            ["the private word `door`"]
        );
        assert!(whats("a.rs", "let indoor = doorway;\n").is_empty());
    }

    #[test]
    fn titles_have_an_area_and_a_length() {
        assert_eq!(invalid_title("loader/dylink: split the engine trait"), None);
        let long = format!("docs: {}", "x".repeat(70));
        for title in [
            "Split the trait",
            "docs: ",
            "docs: end with a stop.",
            &long,
            "Docs: add it",
        ] {
            assert!(invalid_title(title).is_some(), "{title}");
        }
    }
}
