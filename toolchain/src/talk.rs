//! What is said on stderr while something takes long. Nothing happens, nothing is said.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where messages go: bars and spinners on a terminal, plain lines elsewhere, or nowhere.
#[derive(Clone, Debug)]
pub struct Talk {
    to: Arc<To>,
}

#[derive(Debug)]
enum To {
    Terminal(MultiProgress),
    Lines,
    Nowhere,
}

impl Talk {
    /// To stderr.
    pub fn stderr() -> Self {
        let to = if stderr().is_terminal() {
            To::Terminal(MultiProgress::with_draw_target(ProgressDrawTarget::stderr()))
        } else {
            To::Lines
        };
        Self { to: Arc::new(to) }
    }

    /// To nobody.
    pub fn quiet() -> Self {
        Self {
            to: Arc::new(To::Nowhere),
        }
    }

    /// One line, now.
    pub fn note(&self, message: &str) {
        match &*self.to {
            // A terminal that has gone away is no reason to stop working.
            To::Terminal(bars) => drop(bars.println(message)),
            To::Lines => eprintln!("{message}"),
            To::Nowhere => {}
        }
    }

    /// Something of unknown length begins: a spinner, or the line `title …`. A line with the time it took ends it.
    pub fn begin(&self, title: &str) -> Progress {
        let bar = match &*self.to {
            To::Terminal(bars) => {
                let bar = bars.add(ProgressBar::new_spinner());
                bar.set_style(style("{spinner} {prefix} {elapsed:.dim} {wide_msg:.dim}"));
                bar.enable_steady_tick(Duration::from_millis(120));
                bar
            }
            To::Lines => {
                eprintln!("{title} …");
                ProgressBar::hidden()
            }
            To::Nowhere => ProgressBar::hidden(),
        };
        bar.set_prefix(title.to_owned());
        Progress {
            talk: self.clone(),
            bar,
            title: title.to_owned(),
            since: Instant::now(),
            done: false,
        }
    }
}

/// Something under way. Dropped without `finish`, it vanishes: the error that follows says what happened.
#[derive(Debug)]
pub struct Progress {
    talk: Talk,
    bar: ProgressBar,
    title: String,
    since: Instant,
    done: bool,
}

impl Progress {
    /// How many bytes of how many have been transferred; with a total it becomes a bar.
    pub fn transferred(&self, bytes: u64, total: Option<u64>) {
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

    /// Whether anybody sees more of it than its beginning and its end.
    pub fn is_watched(&self) -> bool {
        matches!(*self.talk.to, To::Terminal(_))
    }

    /// What it is doing just now; only shown on a terminal.
    pub fn doing(&self, message: &str) {
        self.bar.set_message(message.to_owned());
    }

    /// It is done: the line with its time stays.
    pub fn finish(mut self) {
        self.done = true;
        self.bar.finish_and_clear();
        self.talk
            .note(&format!("{} ✓ {}", self.title, Time(self.since.elapsed())));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if !self.done {
            self.bar.finish_and_clear();
        }
    }
}

/// A duration as a person says it: `0.3 s`, `42 s`, `3 min 05 s`.
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
