//! A build script runs on the build machine, and so does a program that it builds.

fn main() {
    println!(
        "cargo::rustc-env=ASKED={}",
        std::env::var("CARGO_CFG_TARGET_POINTER_WIDTH").unwrap_or_default()
    );
}
