//! Renames: gives a backend's wheel the names and tags of the guest.
//!
//! Backends name platforms that they know. A module that they call `x.abi3.so` or `linux_x86_64` was compiled by our compiler
//! and is a side module for the guest.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use pymode_abi::{EXT_SUFFIX, PLATFORM_TAG, WHEEL_TAG};
use pymode_toolchain::CacheError;
use pymode_toolchain::cc::flags::{module_of, python_module};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::check::exports;
use crate::error::Error;
use crate::wheel::{Member, Wheel, WheelError, is_record, record_line};

/// Writes the wheel into a directory, under its final name.
pub(crate) fn finish(wheel: &Wheel, into: &Path) -> Result<Wheel, Error> {
    let members = wheel.members()?;
    let renames: BTreeMap<&str, String> = members
        .iter()
        .filter_map(|member| Some((member.name.as_str(), guest_name(member)?)))
        .collect();
    let has_code = members
        .iter()
        .any(|member| member.bytes.starts_with(b"\0asm"));
    let is_tagged = wheel.name.platform.iter().any(|tag| tag == PLATFORM_TAG) && renames.is_empty();
    if is_tagged || !has_code {
        let target = into.join(wheel.file());
        fs::copy(&wheel.path, &target).map_err(CacheError::io("write", &target))?;
        return Ok(Wheel::at(&target)?);
    }
    let target = into.join(format!(
        "{}-{}-{WHEEL_TAG}.whl",
        wheel.name.name.in_file_names(),
        wheel.name.version
    ));
    write(&target, &members, &renames).map_err(|e| WheelError::Damaged {
        path: target.clone(),
        reason: e.to_string(),
    })?;
    Ok(Wheel::at(&target)?)
}

/// The guest's name of an extension module, if Python would not find it under its own.
fn guest_name(member: &Member) -> Option<String> {
    if !member.bytes.starts_with(b"\0asm") || python_module(&member.name).is_some() {
        return None;
    }
    let (dir, file) = member.name.rsplit_once('/').unwrap_or(("", &member.name));
    let stem = file.split('.').next()?;
    let inits = [stem, module_of(dir, stem)].map(|module| format!("PyInit_{module}"));
    let slash = if dir.is_empty() { "" } else { "/" };
    let exports = exports(&member.bytes);
    inits
        .iter()
        .any(|init| exports.contains(init))
        .then(|| format!("{dir}{slash}{stem}{EXT_SUFFIX}"))
}

fn write(
    target: &Path,
    members: &[Member],
    renames: &BTreeMap<&str, String>,
) -> zip::result::ZipResult<()> {
    // Contains neither machine nor time: the same build gives the same bytes.
    let options = |executable: bool| {
        SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(if executable { 0o755 } else { 0o644 })
    };
    let mut zip = ZipWriter::new(File::create(target)?);
    let mut record = String::new();
    for member in members.iter().filter(|member| !is_record(&member.name)) {
        let name = renames.get(member.name.as_str()).unwrap_or(&member.name);
        let retagged;
        let bytes = if name.ends_with(".dist-info/WHEEL") {
            retagged = retag(&String::from_utf8_lossy(&member.bytes)).into_bytes();
            &retagged
        } else {
            &member.bytes
        };
        zip.start_file(name, options(member.executable))?;
        zip.write_all(bytes)?;
        record.push_str(&record_line(name, bytes));
    }
    if let Some(name) = members
        .iter()
        .map(|member| &member.name)
        .find(|name| is_record(name))
    {
        record.push_str(&format!("{name},,\n"));
        zip.start_file(name, options(false))?;
        zip.write_all(record.as_bytes())?;
    }
    zip.finish()?.sync_all()?;
    Ok(())
}

/// Replaces the tags in the text of WHEEL with ours.
fn retag(text: &str) -> String {
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| !line.starts_with("Tag:"))
        .map(str::to_owned)
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    for line in &mut lines {
        if line.starts_with("Root-Is-Purelib:") {
            *line = "Root-Is-Purelib: false".to_owned();
        }
    }
    lines.push(format!("Tag: {WHEEL_TAG}"));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_replaced_and_the_rest_stays() {
        let text = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: cp39-abi3-linux_x86_64\nTag: b\n\n";
        let wanted =
            format!("Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: false\nTag: {WHEEL_TAG}\n");
        assert_eq!(retag(text), wanted);
    }
}
