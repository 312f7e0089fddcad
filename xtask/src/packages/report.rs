//! The reports of `pymode ext test --report` for each engine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use crate::table::{cell, size};

/// The engine of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Engine {
    Wasmtime,
    Workerd,
}

impl Engine {
    pub(super) const ALL: [Self; 2] = [Self::Wasmtime, Self::Workerd];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wasmtime => "wasmtime",
            Self::Workerd => "workerd",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One run of a suite.
#[derive(Debug, Deserialize)]
pub(super) struct Report {
    package: String,
    build_milliseconds: Option<u64>,
    wheel_bytes: u64,
    /// Reason why these are not the package's own tests, if they are not.
    proof: Option<String>,
    /// `None` if the guest ended before it wrote a result.
    outcome: Option<Outcome>,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    passed: u64,
    failed: Vec<String>,
    skipped: BTreeMap<String, u64>,
    modules: BTreeMap<String, f64>,
}

/// A package's runs, as lines of tables.
#[derive(Debug, Default)]
pub(super) struct Results {
    reports: BTreeMap<Engine, Report>,
}

impl Results {
    pub(super) fn put(&mut self, engine: Engine, report: Option<Report>) {
        self.reports.extend(report.map(|report| (engine, report)));
    }

    /// The package's line in the first table.
    pub(super) fn row(&self, name: &str) -> String {
        let Some(report) = self.reports.values().next() else {
            return format!("| {name} | fails | | | | | |");
        };
        let build = report.build_milliseconds.map_or_else(String::new, |time| {
            format!("{:.0} s", (time as f64 / 1000.0).max(1.0))
        });
        let wheel = size(report.wheel_bytes);
        let cells = Engine::ALL.map(|engine| match self.reports.get(&engine) {
            Some(report) => report.cells(),
            None => "fails | ".to_owned(),
        });
        let mut what = report.package.clone();
        if let Some(proof) = &report.proof {
            what.push_str(&format!(" ({})", cell(proof)));
        }
        format!("| {what} | {build} | {wheel} | {} |", cells.join(" | "))
    }

    /// Number of skipped tests by reason.
    pub(super) fn skipped(&self, name: &str) -> Vec<String> {
        let outcomes = || self.outcomes();
        let reasons: BTreeSet<&String> = outcomes()
            .flat_map(|(_, outcome)| outcome.skipped.keys())
            .collect();
        let row = |why: &String| {
            let counts = outcomes().map(|(engine, outcome)| {
                let count = outcome.skipped.get(why).copied().unwrap_or_default();
                (engine, count)
            });
            format!("| {name} | {} | {} |", each(counts), cell(why))
        };
        reasons.into_iter().map(row).collect()
    }

    /// The tests that failed.
    pub(super) fn failed(&self, name: &str) -> Vec<String> {
        let row = |engine: Engine, test: &String| format!("| {name} | {engine} | {} |", cell(test));
        self.outcomes()
            .flat_map(|(engine, outcome)| outcome.failed.iter().map(move |test| row(engine, test)))
            .collect()
    }

    fn outcomes(&self) -> impl Iterator<Item = (Engine, &Outcome)> {
        self.reports
            .iter()
            .filter_map(|(engine, report)| Some((*engine, report.outcome.as_ref()?)))
    }
}

impl Report {
    fn cells(&self) -> String {
        let Some(outcome) = &self.outcome else {
            return "the guest trapped | ".to_owned();
        };
        let load: f64 = outcome.modules.values().sum();
        format!(
            "{} / {} / {} | {load:.0} ms",
            outcome.passed,
            outcome.failed.len(),
            outcome.skipped.values().sum::<u64>(),
        )
    }
}

/// One number if it is the same on all engines.
fn each(counts: impl Iterator<Item = (Engine, u64)>) -> String {
    let counts: Vec<(Engine, u64)> = counts.collect();
    match counts.as_slice() {
        [(_, count), rest @ ..] if rest.iter().all(|(_, other)| other == count) => {
            count.to_string()
        }
        counts => {
            let each = counts
                .iter()
                .map(|(engine, count)| format!("{count} on {engine}"));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Engine, Report, Results};

    fn report(passed: u64, skipped: u64) -> Option<Report> {
        let text = format!(
            r#"{{"package": "x 1.0", "build_milliseconds": 1500, "wheel_bytes": 2400000, "outcome":
            {{"passed": {passed}, "failed": ["a|b"], "skipped": {{"no threads": {skipped}}}, "modules": {{"x": 1.6}}}}}}"#
        );
        Some(serde_json::from_str(&text).expect("a report"))
    }

    #[test]
    fn a_package_has_a_row_for_both_engines() {
        let mut results = Results::default();
        results.put(Engine::Wasmtime, report(7, 2));
        results.put(Engine::Workerd, report(6, 3));
        assert_eq!(
            results.row("x"),
            "| x 1.0 | 2 s | 2.4 MB | 7 / 1 / 2 | 2 ms | 6 / 1 / 3 | 2 ms |"
        );
        assert_eq!(
            results.skipped("x"),
            ["| x | 2 on wasmtime, 3 on workerd | no threads |"]
        );
        assert_eq!(
            results.failed("x"),
            ["| x | wasmtime | a/b |", "| x | workerd | a/b |"]
        );
    }

    #[test]
    fn what_are_not_its_own_tests_is_said_so() {
        let text = r#"{"package": "x 1.0", "build_milliseconds": null, "wheel_bytes": 1, "proof": "it has none: why", "outcome": null}"#;
        let mut results = Results::default();
        results.put(
            Engine::Wasmtime,
            Some(serde_json::from_str(text).expect("a report")),
        );
        assert!(
            results
                .row("x")
                .starts_with("| x 1.0 (it has none: why) | ")
        );
    }

    #[test]
    fn what_was_not_built_is_said_so() {
        assert_eq!(Results::default().row("x"), "| x | fails | | | | | |");
    }
}
