//! `pymode cc`, `c++`, `ar`, `ranlib`: the compiler driver, under the names that build systems use.

use std::process::ExitCode;

use pymode_toolchain::cc::{self, Language};

use crate::args::Passed;
use crate::failure::Failure;

pub(crate) fn cc(passed: &Passed) -> Result<ExitCode, Failure> {
    Ok(cc::run(Language::C, passed.args.iter().cloned()))
}

pub(crate) fn cxx(passed: &Passed) -> Result<ExitCode, Failure> {
    Ok(cc::run(Language::Cxx, passed.args.iter().cloned()))
}

pub(crate) fn ar(passed: &Passed) -> Result<ExitCode, Failure> {
    Ok(cc::ar(passed.args.iter().cloned()))
}

pub(crate) fn ranlib(passed: &Passed) -> Result<ExitCode, Failure> {
    Ok(cc::ranlib(passed.args.iter().cloned()))
}
