//! Settings for cargo, PyO3 and the backends that call them.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use pymode_toolchain::rust::Target;

use super::Cross;

/// Build requirements that need a Rust toolchain.
const BACKENDS: &[&str] = &["maturin", "setuptools-rust"];

/// Flags for side modules in Rust. For a `cdylib` on WASI, rustc links an executable; the driver makes a side module
/// of its inputs.
const FLAGS: &[&str] = &[
    "-Crelocation-model=pic",
    "-Clinker-flavor=gcc",
    "-Clink-self-contained=no",
    "-Clink-arg=-shared",
];

/// Returns `true` if a requirement in `pyproject.toml` needs Rust.
pub(crate) fn is_needed(requirements: &[String]) -> bool {
    let name = |requirement: &String| {
        let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        requirement[..end.unwrap_or(requirement.len())]
            .to_ascii_lowercase()
            .replace(['_', '.'], "-")
    };
    requirements
        .iter()
        .any(|requirement| BACKENDS.contains(&name(requirement).as_str()))
}

impl Cross {
    /// Makes a command build side modules with Rust; `bin` belongs to a private toolchain.
    pub(super) fn with_rust(&self, command: &mut Command, bin: Option<&Path>, path: OsString) {
        let triple = Target::Side.triple();
        let variable = |name: &str| {
            let triple = triple.to_uppercase().replace('-', "_");
            format!("CARGO_TARGET_{triple}_{name}")
        };
        if let Some(bin) = bin {
            let dirs = std::iter::once(bin.to_path_buf()).chain(std::env::split_paths(&path));
            // A compiler finds its library relative to itself, so the private one must come first in the path.
            command.env("PATH", std::env::join_paths(dirs).unwrap_or(path));
            command.env_remove("RUSTUP_TOOLCHAIN");
        }
        let of_target = |name: &str| format!("{name}_{}", triple.replace('-', "_"));
        command
            .env("CARGO_BUILD_TARGET", triple)
            .env(variable("RUSTFLAGS"), FLAGS.join(" "))
            .env(variable("LINKER"), self.tool("cc"))
            .env("PYO3_CROSS_LIB_DIR", self.modules())
            .env("PYO3_CROSS_PYTHON_VERSION", "3.13")
            .env("PYO3_BUILD_EXTENSION_MODULE", "1")
            // `CC` is the guest's compiler; build scripts must not use it for this machine.
            .env("HOST_CC", "cc")
            .env("HOST_CXX", "c++")
            .env("HOST_AR", "ar")
            .env(of_target("CC"), self.tool("cc"))
            .env(of_target("CXX"), self.tool("c++"))
            .env(of_target("AR"), self.tool("ar"));
    }
}

#[cfg(test)]
mod tests {
    use super::is_needed;

    #[test]
    fn rust_is_asked_for_by_name() {
        let asks = |text: &str| is_needed(&[text.to_owned()]);
        assert!(asks("maturin>=1.9,<2") && asks("Setuptools_Rust ; python_version > '3'"));
        assert!(!asks("setuptools>=61") && !asks("maturin-extra"));
    }
}
