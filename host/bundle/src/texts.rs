//! Heads of requests and answers: texts with NUL bytes between them.

use alloc::string::String;
use alloc::vec::Vec;

/// Returns the texts of a head.
pub fn split(head: &str) -> impl Iterator<Item = &str> {
    head.split('\0')
}

/// Joins texts to a head; returns `None` if one contains a NUL byte, which would end it early.
pub fn join<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut head = String::new();
    for (at, text) in texts.into_iter().enumerate() {
        if text.contains('\0') {
            return None;
        }
        if at > 0 {
            head.push('\0');
        }
        head.push_str(text);
    }
    Some(head)
}

/// Returns the rest of a head as names and values; `None` if the last name has no value.
pub fn pairs<'a>(mut texts: impl Iterator<Item = &'a str>) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    while let Some(name) = texts.next() {
        pairs.push((name.into(), texts.next()?.into()));
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_comes_back_as_it_was() {
        let head = join(["GET", "", "ä", ""]).expect("no text holds a NUL");
        assert_eq!(split(&head).collect::<Vec<_>>(), ["GET", "", "ä", ""]);
        assert_eq!(join(["a", "b\0c"]), None);
    }

    #[test]
    fn a_name_without_a_value_is_none() {
        assert_eq!(pairs(split("a\0b\0c")), None);
        assert_eq!(pairs(core::iter::empty()), Some(Vec::new()));
    }
}
