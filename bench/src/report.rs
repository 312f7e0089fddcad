//! A table of results.

use std::fmt::Write;

use crate::pair::{Sample, spread};

/// Formats samples as a Markdown table: both medians, the median of the difference, and the median ratio with its range.
pub(crate) fn table(samples: &[Sample]) -> String {
    let mut text = String::from(
        "| case | subject | median | baseline | median | more by | subject / baseline (least – greatest) |\n|---|---|--:|---|--:|--:|--:|\n",
    );
    for sample in samples {
        let column = |pick: fn(&(f64, f64)) -> f64| spread(sample.pairs.iter().map(pick));
        let (Some(subject), Some(baseline), Some(more), Some(ratio)) = (
            column(|p| p.0),
            column(|p| p.1),
            column(|p| p.0 - p.1),
            column(|p| p.0 / p.1),
        ) else {
            continue;
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {:.2} ({:.2} – {:.2}) |",
            sample.case,
            sample.subject,
            duration(subject[1]),
            sample.baseline,
            duration(baseline[1]),
            duration(more[1]),
            ratio[1],
            ratio[0],
            ratio[2]
        );
    }
    text
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 0.0 => format!("-{}", duration(-s)),
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::pair::Sample;

    #[test]
    fn a_row_holds_medians_and_the_ratio() {
        let sample = Sample {
            case: "start".into(),
            subject: "a".into(),
            baseline: "b".into(),
            pairs: vec![(0.2, 0.1), (0.3, 0.1), (0.1, 0.1)],
        };
        assert!(table(&[sample]).ends_with(
            "| start | a | 200.0 ms | b | 100.0 ms | 100.0 ms | 2.00 (1.00 – 3.00) |\n"
        ));
    }
}
