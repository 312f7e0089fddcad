//! The contract between the bundler (`host/workerd`) and the Worker (`host/worker`).
//!
//! | module | contents |
//! |---|---|
//! | [`names`] | names of a bundle's files, and of the fields of the object that its entry passes on |
//! | [`settings`] | the settings of a bundle, and the version of the contract |
//! | [`stub`] | stub modules, and the stamps of compiled modules |
//! | [`starts`] | offsets of a module's functions |
//! | [`paths`] | paths of a project's files in the guest and in the project |
//! | [`wire`] | frames between `pymode … --engine workerd` and the Worker |
//! | [`program`] | the request that starts a program |
//! | [`pieces`], [`texts`], [`answer`] | requests and answers, as a guest reads and writes them |

#![no_std]

extern crate alloc;

pub mod answer;
pub mod names;
pub mod paths;
pub mod pieces;
pub mod program;
pub mod settings;
pub mod starts;
pub mod stub;
pub mod texts;
pub mod wire;

pub use settings::{BundleSettings, WorkerMode};
