//! The link plan of a bundle: descriptions of its modules, and their bindings.

use pymode_dylink::{ClosedSet, Config, Contract, Plan, Refused, SetFile};
use pymode_host::dl::{CONTRACT_HINT, IDENTIFYING_IMPORTS, LIBRARY_PATH};

use crate::make::pack::Side;
use crate::make::stub::hash_of;

/// Hint for a stale plan.
const REMAKE: &str =
    "run `pymode build` (or `pymode dev`) again, and deploy all of what it writes, together";

/// A link plan, and the thunks that it needs.
#[derive(Debug)]
pub struct Link {
    /// The plan, as bytes.
    pub plan: Vec<u8>,
    /// The module with common thunks, if one can be needed.
    pub forwarders: Option<Side>,
    /// Side modules that cannot be loaded.
    pub refused: Vec<Refused>,
}

/// Links a closed set, as a process with this configuration does.
#[must_use]
pub fn link(
    main: SetFile,
    sides: Vec<SetFile>,
    config: Config,
    has_host: &dyn Fn(&str, &str) -> bool,
) -> Link {
    let (plan, refused) = Plan::for_set(ClosedSet {
        main,
        sides,
        config,
        has_host,
        hash: &hash_of,
        remake: REMAKE,
    });
    let forwarders = plan.common_thunks();
    Link {
        plan: plan.to_bytes(),
        forwarders: forwarders.map(|(_, thunks)| Side::new(thunks.to_wasm())),
        refused,
    }
}

/// Linker configuration of guests in a Worker, with additional library directories.
pub(crate) fn config(library_path: &[String]) -> Config {
    let first = [LIBRARY_PATH.to_owned()].into_iter();
    Config {
        // Libraries that main is linked with are searched at run time.
        origin: None,
        contract: Some(Contract {
            section: pymode_abi::SECTION.into(),
            version: pymode_abi::VERSION,
            hint: CONTRACT_HINT.into(),
        }),
        library_path: first.chain(library_path.iter().cloned()).collect(),
        identifying_imports: IDENTIFYING_IMPORTS.map(Into::into).into(),
    }
}
