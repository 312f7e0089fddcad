//! The `pymode` command. Results go to stdout, diagnostics to stderr. Exit code 0, 1 (failed) or 2 (wrong use).

mod abi;
mod args;
mod build;
mod cc;
mod demo;
mod dependencies;
mod dev;
mod dl;
mod doctor;
mod ext;
mod failure;
mod job;
mod project;
mod python;
mod run;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::failure::Failure;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo => demo::demo(),
        Command::Run(args) => run::run(&args),
        Command::Build { dir, out } => build::build(&dir, out.as_deref()),
        Command::Dev { dir, port } => dev::dev(&dir, port),
        Command::Ext(verb) => ext::ext(verb),
        Command::Cc(passed) => cc::cc(&passed),
        Command::Cxx(passed) => cc::cxx(&passed),
        Command::Ar(passed) => cc::ar(&passed),
        Command::Ranlib(passed) => cc::ranlib(&passed),
        Command::Dl(verb) => dl::dl(&verb),
        Command::Add {
            requirements,
            project,
        } => dependencies::add(&project, &requirements),
        Command::Remove { names, project } => dependencies::remove(&project, &names),
        Command::Lock { upgrade, project } => dependencies::lock(&project, upgrade),
        Command::Sync { project } => dependencies::sync(&project),
        Command::Abi(verb) => abi::abi(&verb),
        Command::Python(verb) => python::python(&verb),
        Command::Doctor => doctor::doctor(),
    };
    done.unwrap_or_else(|failure: Failure| failure.report())
}
