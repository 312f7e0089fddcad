//! Progress and diagnostics on stderr.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The destination of progress and diagnostics: bars and spinners on a terminal, plain lines elsewhere, or nothing.
#[derive(Clone, Debug)]
pub struct Reporter {
    to: Arc<Destination>,
}

#[derive(Debug)]
enum Destination {
    Terminal(MultiProgress),
    Lines,
    Nowhere,
}

impl Reporter {
    /// Reports to stderr.
    pub fn stderr() -> Self {
        let to = if stderr().is_terminal() {
            Destination::Terminal(MultiProgress::with_draw_target(ProgressDrawTarget::stderr()))
        } else {
            Destination::Lines
        };
        Self { to: Arc::new(to) }
    }

    /// Reports nothing.
    pub fn quiet() -> Self {
        Self {
            to: Arc::new(Destination::Nowhere),
        }
    }

    /// Prints one line.
    pub fn println(&self, message: &str) {
        match &*self.to {
            // A terminal that has gone away is no reason to stop working.
            Destination::Terminal(bars) => drop(bars.println(message)),
            Destination::Lines => eprintln!("{message}"),
            Destination::Nowhere => {}
        }
    }

    /// Starts an operation of unknown length: shows a spinner, or prints `title …`.
    pub fn start(&self, title: &str) -> Progress {
        let bar = match &*self.to {
            Destination::Terminal(bars) => {
                let bar = bars.add(ProgressBar::new_spinner());
                bar.set_style(style("{spinner} {prefix} {elapsed:.dim} {wide_msg:.dim}"));
                bar.enable_steady_tick(Duration::from_millis(120));
                bar
            }
            Destination::Lines => {
                eprintln!("{title} …");
                ProgressBar::hidden()
            }
            Destination::Nowhere => ProgressBar::hidden(),
        };
        bar.set_prefix(title.to_owned());
        Progress {
            reporter: self.clone(),
            bar,
            title: title.to_owned(),
            since: Instant::now(),
            done: false,
        }
    }
}

/// An operation in progress. Dropped without `finish`, it disappears: the error that follows says what happened.
#[derive(Debug)]
pub struct Progress {
    reporter: Reporter,
    bar: ProgressBar,
    title: String,
    since: Instant,
    done: bool,
}

impl Progress {
    /// Sets the number of bytes transferred so far. With a total the spinner becomes a bar.
    pub fn set_transferred(&self, bytes: u64, total: Option<u64>) {
        if let Some(total) = total
            && self.bar.length() != Some(total)
        {
            self.bar.set_length(total);
            self.bar.set_style(style(
                "{prefix} [{bar:30}] {bytes}/{total_bytes} {eta:.dim}",
            ));
        }
        self.bar.set_position(bytes);
    }

    /// Returns true if messages between start and end are shown.
    pub fn is_terminal(&self) -> bool {
        matches!(*self.reporter.to, Destination::Terminal(_))
    }

    /// Sets the message of the current work; only a terminal shows it.
    pub fn set_message(&self, message: &str) {
        self.bar.set_message(message.to_owned());
    }

    /// Ends the operation and prints a line with the time it took.
    pub fn finish(mut self) {
        self.done = true;
        self.bar.finish_and_clear();
        self.reporter
            .println(&format!("{} ✓ {}", self.title, Time(self.since.elapsed())));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if !self.done {
            self.bar.finish_and_clear();
        }
    }
}

/// A duration for display: `0.3 s`, `42 s`, `3 min 05 s`.
struct Time(Duration);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..10 => write!(f, "{:.1} s", self.0.as_secs_f64()),
            10..60 => write!(f, "{seconds} s"),
            _ => write!(f, "{} min {:02} s", seconds / 60, seconds % 60),
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are constants that parse")
}
