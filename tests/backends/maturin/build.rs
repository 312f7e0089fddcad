//! A build script runs on the machine that builds, the program in it too.

fn main() {
    println!(
        "cargo::rustc-env=ASKED={}",
        std::env::var("CARGO_CFG_TARGET_POINTER_WIDTH").unwrap_or_default()
    );
}
