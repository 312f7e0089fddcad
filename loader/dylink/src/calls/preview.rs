//! A `dlopen` up to the point where something would happen: for tools, tests and logs.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::calls::attach::attach;
use crate::calls::error::OpenError;
use crate::calls::open::{decide, find};
use crate::calls::process::Process;
use crate::decide::plan::LinkPlan;
use crate::decide::print::{PlanNames, named, print};
use crate::find::gather::Gathered;
use crate::find::group::Group;
use crate::module::ModuleInfo;
use crate::program::flags::OpenFlags;
use crate::program::ids::ModuleId;

/// The decisions of a `dlopen`. [`Display`](fmt::Display) prints every reservation, binding and call.
#[derive(Debug)]
#[non_exhaustive]
pub enum Preview {
    /// The file is loaded: one more handle to it.
    Loaded {
        /// Its path.
        path: Arc<str>,
    },
    /// A load group, and how it is bound.
    New {
        /// The modules that are loaded together.
        group: Group,
        /// The decisions about it.
        plan: Box<LinkPlan>,
        /// Modules that are loaded and that the plan binds to.
        loaded: Vec<(ModuleId, Arc<str>, Arc<ModuleInfo>)>,
    },
}

/// Finds, reads, checks, resolves and plans, and changes nothing.
///
/// # Errors
/// As [`open`](crate::open), before it does anything.
pub async fn preview<P: Process>(
    process: &mut P,
    path: &str,
    flags: OpenFlags,
) -> Result<Preview, OpenError<P::Error>> {
    attach(process)?;
    let (found, recalled) = find(process, path, flags).await?;
    let group = match found {
        Gathered::Loaded(id) => {
            let path = process.program(|program| Arc::clone(&program.modules[&id].path));
            return Ok(Preview::Loaded { path });
        }
        Gathered::New(group, _) => group,
    };
    let plan = Box::new(decide(process, path, &group, recalled)?);
    let loaded = process.program(|program| named(program));
    Ok(Preview::New {
        group,
        plan,
        loaded,
    })
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded { path } => writeln!(f, "{path} is loaded"),
            Self::New {
                group,
                plan,
                loaded,
            } => print(f, plan, &PlanNames { group, loaded }),
        }
    }
}
