//! A wheel: its name, its RECORD, and each side module in it.

use std::collections::BTreeMap;

use super::module::{self, Needs};
use super::{Found, Report};
use crate::error::Error;
use crate::wheel::Wheel;

/// One report for the wheel itself and one for each side module.
pub(crate) fn check_wheel(
    wheel: &Wheel,
    find: &dyn Fn(&str) -> Found,
) -> Result<Vec<Report>, Error> {
    let modules = wheel.side_modules()?;
    let mut faults = Vec::new();
    if let Err(e) = wheel.name.require_usable(&wheel.file()) {
        faults.push(e.to_string());
    }
    if wheel.name.is_pure() && !modules.is_empty() {
        faults.push(format!(
            "its name says that it is plain Python, but it holds {} side modules",
            modules.len()
        ));
    }
    faults.extend(wheel.record_faults()?);
    let mut reports = vec![Report {
        what: wheel.file(),
        faults,
    }];
    for (path, wasm) in &modules {
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let at = |place: &str| Ok(modules.get(place.trim_start_matches('/')).cloned());
        let needs = Needs::of(wasm, dir, at, find)?;
        reports.push(Report {
            what: format!("{}: {path}", wheel.file()),
            faults: module::check(path, wasm, &needs, &|place| beside(&modules, place)),
        });
    }
    Ok(reports)
}

/// The side modules in a folder of a wheel.
fn beside(modules: &BTreeMap<String, Vec<u8>>, folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = folder.trim_start_matches('/');
    let inside = modules
        .iter()
        .filter(|(path, _)| path.rsplit_once('/').map_or("", |(folder, _)| folder) == folder);
    inside
        .map(|(path, wasm)| (path.clone(), wasm.clone()))
        .collect()
}
