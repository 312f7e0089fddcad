//! CPython's source: upstream's release, unchanged.

use std::path::PathBuf;

use pymode_toolchain::archive::unpack;
use pymode_toolchain::{Cache, Key, Reporter, Sha256Hex, Source, debian, download};

use crate::error::Error;

/// The release.
pub const VERSION: &str = "3.13.5";

/// When it was released, in seconds since 1970: what `sys.version` and every other date in the build says.
pub(crate) const RELEASED: u64 = 1_749_600_000;

const SHA256: &str = "93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640";

/// An unpacked source tree.
#[derive(Clone, Debug)]
pub(crate) struct PythonSource {
    /// Key of the source, for the keys of the steps that use it.
    pub(crate) key: Key,
    /// The directory with `configure`.
    pub(crate) dir: PathBuf,
}

pub(crate) fn provision(cache: &Cache, reporter: &Reporter) -> Result<PythonSource, Error> {
    let key = Key::new("cpython")
        .field("version", VERSION)
        .field("sha256", SHA256);
    let entry = cache.entry("sources", &key, |dir| {
        let archive = download(cache, reporter, &archive_name(), &sources(), &sha256())?;
        let progress = reporter.start("unpacking CPython");
        unpack(&archive, dir)?;
        progress.finish();
        Ok::<_, Error>(())
    })?;
    Ok(PythonSource {
        key,
        dir: entry.join(format!("Python-{VERSION}")),
    })
}

fn sha256() -> Sha256Hex {
    SHA256
        .parse()
        .expect("the constant is 64 hexadecimal digits")
}

fn archive_name() -> String {
    format!("Python-{VERSION}.tar.xz")
}

/// python.org, then whatever Debian mirror this machine uses: Debian keeps the same file under another name.
fn sources() -> Vec<Source> {
    let upstream = Source(format!(
        "https://www.python.org/ftp/python/{VERSION}/{}",
        archive_name()
    ));
    let debian = format!("pool/main/p/python3.13/python3.13_{VERSION}.orig.tar.xz");
    std::iter::once(upstream)
        .chain(debian::mirrors(&debian))
        .collect()
}
