//! The contract between what makes a Worker's bundle (`host/workerd`) and what runs in it (`host/worker`).
//!
//! | module | is about |
//! |---|---|
//! | [`paths`] | where a guest sees the files of a project, and where their author has them |

#![no_std]

extern crate alloc;

pub mod paths;
