//! `pymode build`: a project as a folder for `wrangler deploy`.

use std::path::Path;
use std::process::ExitCode;

use pymode_workerd::{Share, wrangler};

use crate::failure::Failure;
use crate::project::{self, Purpose};

/// Maximum compressed size of a Worker, in bytes.
const MOST_GZIPPED: u64 = 10 << 20;
/// Maximum uncompressed size.
const MOST_RAW: u64 = 64 << 20;

pub(crate) fn build(dir: &Path, out: Option<&Path>) -> Result<ExitCode, Failure> {
    let default = dir.join("dist");
    let out = out.unwrap_or(&default);
    let bundled = project::bundle(dir, Purpose::Deployment)?;
    let shares = bundled.bundle.shares()?;
    let total = Share {
        what: "all".to_owned(),
        raw: shares.iter().map(|share| share.raw).sum(),
        gzipped: shares.iter().map(|share| share.gzipped).sum(),
    };
    eprint!("{}", table(&shares, &total));
    if total.gzipped > MOST_GZIPPED || total.raw > MOST_RAW {
        return Err(Failure::new(too_large(&shares, &total)));
    }
    wrangler::write(&bundled.bundle, &bundled.manifest, out)?;
    println!("{}", out.display());
    Ok(ExitCode::SUCCESS)
}

fn table(shares: &[Share], total: &Share) -> String {
    let width = shares
        .iter()
        .map(|share| share.what.chars().count())
        .max()
        .unwrap_or_default();
    let line = |share: &Share| {
        format!(
            "  {:width$}  {:>8}  {:>8} gzipped\n",
            share.what,
            size(share.raw),
            size(share.gzipped)
        )
    };
    let mut text: String = shares.iter().map(line).collect();
    text.push_str(&line(total));
    let of = 100.0 * total.gzipped as f64 / MOST_GZIPPED as f64;
    text.push_str(&format!(
        "  {of:.0} % of the limit of {} MB gzipped\n",
        MOST_GZIPPED >> 20
    ));
    text
}

fn size(bytes: u64) -> String {
    if bytes < 1 << 20 {
        format!("{:.1} KB", bytes as f64 / 1024.0)
    } else {
        format!("{:.2} MB", bytes as f64 / f64::from(1 << 20))
    }
}

fn too_large(shares: &[Share], total: &Share) -> String {
    let largest = shares.iter().max_by_key(|share| share.gzipped);
    let largest = largest.map_or_else(String::new, |share| {
        format!(
            "; the largest part is `{}` with {}",
            share.what,
            size(share.gzipped)
        )
    });
    format!(
        "the bundle is {} ({} gzipped), more than the limit of {} MB ({} MB gzipped){largest}\n  hint: omit modules of the standard library with `without = [\"sqlite3\", …]` in `[tool.pymode]`, or remove dependencies",
        size(total.raw),
        size(total.gzipped),
        MOST_RAW >> 20,
        MOST_GZIPPED >> 20,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_part_of_a_bundle_that_is_too_large_is_named() {
        let share = |what: &str, gzipped| Share {
            what: what.into(),
            raw: 3 * gzipped,
            gzipped,
        };
        let shares = [share("python.wasm", 1 << 20), share("numpy 2", 11 << 20)];
        let text = too_large(&shares, &share("all", 12 << 20));
        assert!(text.contains("is 36.00 MB (12.00 MB gzipped)"), "{text}");
        assert!(text.contains("`numpy 2` with 11.00 MB"), "{text}");
        assert!(table(&shares, &share("all", 12 << 20)).contains("120 % of the limit of 10 MB"));
    }
}
