//! Checks a wheel: its name, its RECORD, and each side module in it.

use std::collections::BTreeMap;

use super::module::{self, Needs};
use super::{HostLibrary, Report};
use crate::error::Error;
use crate::wheel::Wheel;

/// Returns one report for the wheel itself and one for each side module.
pub(crate) fn check_wheel(
    wheel: &Wheel,
    find: &dyn Fn(&str) -> HostLibrary,
) -> Result<Vec<Report>, Error> {
    let modules = wheel.side_modules()?;
    let mut violations = Vec::new();
    if let Err(e) = wheel.name.require_usable(&wheel.file()) {
        violations.push(e.to_string());
    }
    if wheel.name.is_pure() && !modules.is_empty() {
        violations.push(format!(
            "its name is that of a pure Python wheel, but it holds {} side modules",
            modules.len()
        ));
    }
    violations.extend(wheel.record_violations()?);
    let mut reports = vec![Report {
        what: wheel.file(),
        violations,
    }];
    for (path, wasm) in &modules {
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let at = |path: &str| Ok(modules.get(path.trim_start_matches('/')).cloned());
        let needs = Needs::of(wasm, dir, at, find)?;
        reports.push(Report {
            what: format!("{}: {path}", wheel.file()),
            violations: module::check(path, wasm, &needs, &|path| beside(&modules, path)),
        });
    }
    Ok(reports)
}

/// The side modules in one folder of a wheel.
fn beside(modules: &BTreeMap<String, Vec<u8>>, folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = folder.trim_start_matches('/');
    let inside = modules
        .iter()
        .filter(|(path, _)| path.rsplit_once('/').map_or("", |(folder, _)| folder) == folder);
    inside
        .map(|(path, wasm)| (path.clone(), wasm.clone()))
        .collect()
}
