//! Hashes the sources that determine what this library makes, for the keys of its cache.

fn main() -> std::io::Result<()> {
    pymode_fingerprint::Fingerprint::of_crate()
        .with("helpers")
        .with("../bundle/src")
        .with("../../loader/rewrite/src")
        .export("PYMODE_WORKERD_SOURCES")
}
