//! Linker configuration of the cases.

use pymode_dylink::{Config, Contract};

use crate::files::Files;

/// The contract of the cases.
pub const CONTRACT: Contract = Contract {
    section: std::borrow::Cow::Borrowed("test.abi"),
    version: 7,
    hint: std::borrow::Cow::Borrowed("build it again for version 7"),
};

/// The configuration of the cases.
#[must_use]
pub fn config(files: &Files) -> Config {
    Config {
        origin: None,
        contract: Some(CONTRACT),
        library_path: files.library_path.clone(),
        identifying_imports: vec!["dl_sym_from".into()],
    }
}
