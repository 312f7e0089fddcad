//! Hashes the sources of this crate for the keys of the last steps of a build.

fn main() -> std::io::Result<()> {
    pymode_fingerprint::Fingerprint::of_crate()
        .with("helpers")
        .with("library")
        .export("SOURCES")
}
