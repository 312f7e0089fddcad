//! Interleaved timing, A B A B …: a change in the machine's speed affects both, and the ratio stays.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Results of one case: seconds of the subject and of its baseline, pair by pair.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// The case's name.
    pub(crate) case: String,
    /// The subject.
    pub(crate) subject: String,
    /// The baseline.
    pub(crate) baseline: String,
    /// Seconds of (subject, baseline).
    pub(crate) pairs: Vec<(f64, f64)>,
}

/// Runs `subject` and `baseline` in turn, once unmeasured and then `runs` times.
///
/// # Errors
///
/// The first error of either.
pub(crate) fn measure<E>(
    runs: usize,
    mut subject: impl FnMut() -> Result<(), E>,
    mut baseline: impl FnMut() -> Result<(), E>,
) -> Result<Vec<(f64, f64)>, E> {
    subject()?;
    baseline()?;
    (0..runs)
        .map(|_| Ok((seconds(&mut subject)?, seconds(&mut baseline)?)))
        .collect()
}

fn seconds<E>(act: &mut impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let start = Instant::now();
    act()?;
    Ok(start.elapsed().max(Duration::from_nanos(1)).as_secs_f64())
}

/// Minimum, median and maximum. `None` for an empty list.
pub(crate) fn spread(figures: impl IntoIterator<Item = f64>) -> Option<[f64; 3]> {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 {
        *sorted.get(middle)?
    } else {
        f64::midpoint(*sorted.get(middle.checked_sub(1)?)?, *sorted.get(middle)?)
    };
    Some([*sorted.first()?, median, *sorted.last()?])
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn the_median_of_an_even_count_lies_between() {
        assert_eq!(spread([4.0, 1.0, 3.0, 2.0]), Some([1.0, 2.5, 4.0]));
    }

    #[test]
    fn the_median_of_an_odd_count_is_a_figure() {
        assert_eq!(spread([9.0, 1.0, 3.0]), Some([1.0, 3.0, 9.0]));
    }

    #[test]
    fn nothing_has_no_median() {
        assert_eq!(spread([]), None);
    }
}
