//! Debian's archive as a mirror of upstream sources, on machines that have one configured.

use std::process::{Command, Stdio};

use crate::download::Source;

/// Returns the addresses of `path`, such as `pool/main/…`, in the archives of this machine's apt configuration. Empty on a
/// machine without apt.
pub fn mirrors(path: &str) -> Vec<Source> {
    let Ok(output) = Command::new("apt-get")
        .args(["indextargets", "--format", "$(REPO_URI)"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
    else {
        return Vec::new();
    };
    bases(&String::from_utf8_lossy(&output.stdout))
        .map(|base| Source(format!("{base}/{path}")))
        .collect()
}

/// Returns the distinct HTTP bases in their order, without a trailing slash.
fn bases(listing: &str) -> impl Iterator<Item = &str> {
    let mut seen = Vec::new();
    listing
        .lines()
        .map(|line| line.trim().trim_end_matches('/'))
        .filter(|base| base.starts_with("http://") || base.starts_with("https://"))
        .filter(move |base| {
            let new = !seen.contains(base);
            seen.push(base);
            new
        })
}

#[cfg(test)]
mod tests {
    use super::bases;

    #[test]
    fn bases_are_distinct_and_keep_their_order() {
        let listing =
            "http://b.test/debian/\ncdrom:[x]/\nhttps://a.test/sec\nhttp://b.test/debian/\n";
        assert_eq!(
            bases(listing).collect::<Vec<_>>(),
            ["http://b.test/debian", "https://a.test/sec"]
        );
    }
}
