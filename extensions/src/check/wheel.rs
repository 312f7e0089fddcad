//! A wheel: its name, its RECORD, and each side module in it.

use std::collections::BTreeMap;

use super::{Report, module};
use crate::error::Error;
use crate::wheel::Wheel;

/// One report for the wheel itself and one for each side module.
pub(crate) fn check_wheel(wheel: &Wheel) -> Result<Vec<Report>, Error> {
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
        reports.push(Report {
            what: format!("{}: {path}", wheel.file()),
            faults: check_member(path, wasm, &modules),
        });
    }
    Ok(reports)
}

fn check_member(path: &str, wasm: &[u8], modules: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let mut needed = Vec::new();
    let mut faults = Vec::new();
    for name in module::needed(wasm) {
        let places = module::search(wasm, dir, &name);
        match places
            .iter()
            .find_map(|place| modules.get(place.trim_start_matches('/')))
        {
            Some(library) => needed.push((name, library.clone())),
            None => faults.push(module::not_found(&name, &places)),
        }
    }
    faults.extend(module::check(path, wasm, &needed));
    faults
}
