//! Builds Python and prints where its parts are.

use std::process::ExitCode;

use pymode_python::{Error, Options, build};
use pymode_toolchain::{Cache, Talk};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let talk = Talk::stderr();
    let cache = Cache::open()?;
    let built = build(&cache, &talk, Options::default())?;
    println!("{built:#?}");
    Ok(())
}
