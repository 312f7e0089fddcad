//! Replacements in a text that keep its lines where they are.

use std::ops::Range;

/// Places of a text, and what is to stand there.
#[derive(Default)]
pub(super) struct Edits {
    edits: Vec<(Range<usize>, String)>,
}

impl Edits {
    pub(super) fn replace(&mut self, place: Range<usize>, text: String) {
        self.edits.push((place, text));
    }

    /// The text with all replacements; of two that overlap, the one that begins first, and of those that begin together the
    /// one that came first.
    pub(super) fn apply(mut self, source: &str) -> String {
        self.edits.sort_by_key(|(place, _)| place.start);
        let mut text = String::with_capacity(source.len() + 64);
        let mut at = 0;
        for (place, new) in self.edits {
            if place.start < at {
                continue;
            }
            text.push_str(&source[at..place.start]);
            text.push_str(&new);
            let lines = |text: &str| text.matches('\n').count();
            let lost = lines(&source[place.clone()]).saturating_sub(lines(&new));
            text.extend(std::iter::repeat_n('\n', lost));
            at = place.end;
        }
        text.push_str(&source[at..]);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_where_they_are() {
        let mut edits = Edits::default();
        edits.replace(4..7, "y".to_owned());
        edits.replace(0..1, "x".to_owned());
        edits.replace(5..9, "overlaps".to_owned());
        assert_eq!(edits.apply("a\nb\nc\nd\ne"), "x\nb\ny\n\ne");
    }
}
