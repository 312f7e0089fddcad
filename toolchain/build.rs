//! Hashes the sources of this crate for the keys of what it makes.

fn main() -> std::io::Result<()> {
    pymode_fingerprint::Fingerprint::of_crate()
        .with("sources")
        .export("SOURCES")
}
