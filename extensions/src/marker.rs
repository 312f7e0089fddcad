//! Environment markers (PyPA's "Dependency specifiers"), evaluated for the guest: uv resolves for every platform and
//! leaves it to us which of them this is.

use std::cmp::Ordering;

/// What the guest says of itself, as `packaging.markers.default_environment()` would in it.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("implementation_name", "cpython"),
    ("implementation_version", FULL_VERSION),
    ("os_name", "posix"),
    ("platform_machine", "wasm32"),
    ("platform_python_implementation", "CPython"),
    ("platform_release", ""),
    ("platform_system", "wasi"),
    ("platform_version", ""),
    ("python_full_version", FULL_VERSION),
    ("python_version", "3.13"),
    ("sys_platform", "wasi"),
    ("extra", ""),
];

const FULL_VERSION: &str = pymode_python::SOURCE_VERSION;

/// A marker that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the marker `{marker}` is not understood at `{at}`")]
pub(crate) struct MarkerError {
    marker: String,
    at: String,
}

/// Whether a marker holds in the guest.
///
/// # Errors
/// When it is no marker.
pub(crate) fn holds(marker: &str) -> Result<bool, MarkerError> {
    let wrong = |at: &str| MarkerError {
        marker: marker.to_owned(),
        at: at.to_owned(),
    };
    let tokens = tokens(marker).ok_or_else(|| wrong(marker))?;
    let mut parser = Parser {
        tokens: &tokens,
        depth: 0,
    };
    match parser.or() {
        Some(value) if parser.tokens.is_empty() => Ok(value),
        _ => Err(wrong(parser.tokens.first().map_or("the end", Token::text))),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'m> {
    Word(&'m str),
    Text(&'m str),
    Operator(&'m str),
}

impl Token<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Text(text) | Self::Operator(text) => text,
        }
    }
}

fn tokens(marker: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = marker.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => {
                let text = &rest[1..];
                let end = text.find(first)?;
                tokens.push(Token::Text(&text[..end]));
                end + 2
            }
            '(' | ')' => {
                tokens.push(Token::Operator(&rest[..1]));
                1
            }
            '<' | '>' | '=' | '!' | '~' => {
                let end = rest.find(|c| !"<>=!~".contains(c)).unwrap_or(rest.len());
                tokens.push(Token::Operator(&rest[..end]));
                end
            }
            c if c.is_ascii_alphabetic() => {
                let end = rest
                    .find(|c: char| !c.is_ascii_alphanumeric() && !"_.".contains(c))
                    .unwrap_or(rest.len());
                tokens.push(Token::Word(&rest[..end]));
                end
            }
            _ => return None,
        };
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

/// How deep parentheses may go.
const DEEPEST: usize = 64;

struct Parser<'t, 'm> {
    tokens: &'t [Token<'m>],
    depth: usize,
}

impl<'m> Parser<'_, 'm> {
    fn take(&mut self, token: &Token<'_>) -> bool {
        let there = self.tokens.first() == Some(token);
        if there {
            self.tokens = &self.tokens[1..];
        }
        there
    }

    fn next(&mut self) -> Option<Token<'m>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn or(&mut self) -> Option<bool> {
        let mut value = self.and()?;
        while self.take(&Token::Word("or")) {
            value |= self.and()?;
        }
        Some(value)
    }

    fn and(&mut self) -> Option<bool> {
        let mut value = self.one()?;
        while self.take(&Token::Word("and")) {
            value &= self.one()?;
        }
        Some(value)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take(&Token::Operator("(")) {
            self.depth += 1;
            if self.depth > DEEPEST {
                return None;
            }
            let value = self.or()?;
            self.depth -= 1;
            return self.take(&Token::Operator(")")).then_some(value);
        }
        let (left, left_name) = self.value()?;
        let operator = match self.next()? {
            Token::Operator(operator) => operator,
            Token::Word("in") => "in",
            Token::Word("not") if self.take(&Token::Word("in")) => "not in",
            _ => return None,
        };
        let (right, right_name) = self.value()?;
        let of_versions = [left_name, right_name].into_iter().flatten().any(|name| {
            matches!(
                name,
                "python_version" | "python_full_version" | "implementation_version"
            )
        });
        compare(left, operator, right, of_versions)
    }

    /// A value, and the name of the variable that it came from.
    fn value(&mut self) -> Option<(&'m str, Option<&'m str>)> {
        match self.next()? {
            Token::Text(text) => Some((text, None)),
            Token::Word(name) => {
                let (_, value) = ENVIRONMENT.iter().find(|(known, _)| *known == name)?;
                Some((value, Some(name)))
            }
            Token::Operator(_) => None,
        }
    }
}

fn compare(left: &str, operator: &str, right: &str, of_versions: bool) -> Option<bool> {
    match operator {
        "in" => return Some(right.contains(left)),
        "not in" => return Some(!right.contains(left)),
        _ => {}
    }
    if !of_versions {
        let order = left.cmp(right);
        return holds_for(operator, order);
    }
    if let Some(prefix) = right.strip_suffix(".*") {
        let prefix = release(prefix);
        let starts = release(left)
            .into_iter()
            .chain(std::iter::repeat(0))
            .zip(&prefix)
            .all(|(a, b)| a == *b);
        return match operator {
            "==" => Some(starts),
            "!=" => Some(!starts),
            _ => None,
        };
    }
    let (left, right) = (release(left), release(right));
    if operator == "~=" {
        let series = right.len().checked_sub(1).filter(|n| *n > 0)?;
        let same = (0..series).all(|n| left.get(n).copied().unwrap_or(0) == right[n]);
        return Some(same && order(&left, &right).is_ge());
    }
    holds_for(operator, order(&left, &right))
}

fn holds_for(operator: &str, order: Ordering) -> Option<bool> {
    Some(match operator {
        "==" | "===" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        _ => return None,
    })
}

/// The numbers of a release. Ours is final: a pre-release on the other side counts as its final version.
fn release(version: &str) -> Vec<u64> {
    version
        .trim()
        .split('.')
        .map_while(|part| {
            let digits = part
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(part.len());
            part[..digits].parse().ok()
        })
        .collect()
}

fn order(left: &[u64], right: &[u64]) -> Ordering {
    let length = left.len().max(right.len());
    let at = |numbers: &[u64], n: usize| numbers.get(n).copied().unwrap_or(0);
    (0..length)
        .map(|n| at(left, n).cmp(&at(right, n)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_hold_or_not_in_the_guest() {
        for (marker, value) in [
            ("sys_platform == 'wasi'", true),
            ("sys_platform == 'win32' or os_name == \"posix\"", true),
            ("python_version < '3.9'", false),
            ("python_version >= '3.9'", true),
            ("python_full_version < '3.13.0b1'", false),
            ("python_version == '3.*'", true),
            ("python_version ~= '3.10'", true),
            ("'linux' in sys_platform", false),
            (
                "'linux' not in sys_platform and (python_version > '3' or os_name == 'x')",
                true,
            ),
            ("extra == 'test'", false),
            ("platform_python_implementation != 'PyPy'", true),
            ("'3.12' <= python_version", true),
        ] {
            assert_eq!(holds(marker), Ok(value), "{marker}");
        }
    }

    #[test]
    fn what_is_no_marker_is_refused() {
        for marker in [
            "",
            "sys_platform",
            "sys_platform == ",
            "nonsense == '1'",
            "'a' == 'a' b",
            "(os_name == 'x'",
            "'a",
        ] {
            assert!(holds(marker).is_err(), "{marker}");
        }
        assert!(holds(&"(".repeat(10_000)).is_err());
    }
}
