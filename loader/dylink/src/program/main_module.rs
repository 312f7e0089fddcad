//! The main module as the first module of the program.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::module::{ContentHash, ModuleInfo};
use crate::program::config::ContractError;
use crate::program::ids::{Address, ModuleId, Slot};
use crate::program::{Module, Phase, Program, Shared};

/// The exports of main that every side module is bound to.
pub(crate) const REQUIRED: [&str; 5] = [
    "memory",
    "__indirect_function_table",
    "__stack_pointer",
    "malloc",
    "free",
];

/// The reason why a main module cannot carry side modules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableMain {
    /// It does not export what side modules are bound to.
    #[error(
        "`{main}` cannot load side modules: it does not export {}\n  hint: link it with `--export-table --growable-table --export=__stack_pointer --export=malloc --export=free`",
        list(.missing)
    )]
    Lacks {
        /// The main module.
        main: Arc<str>,
        /// The exports that are missing.
        missing: Vec<&'static str>,
    },
    /// It was built for another version of the contract.
    #[error(transparent)]
    Contract(#[from] ContractError),
}

impl<Instance, Extern> Program<Instance, Extern> {
    /// Checks that a main module can carry side modules, as far as it describes itself.
    pub(crate) fn check_main(
        &self,
        name: &Arc<str>,
        info: &ModuleInfo,
    ) -> Result<(), UnusableMain> {
        self.config.check_contract(name, info)?;
        let is_missing = |name: &&str| info.exports.find(name).is_none();
        let missing: Vec<_> = REQUIRED.into_iter().filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let main = Arc::clone(name);
        Err(UnusableMain::Lacks { main, missing })
    }

    /// Makes main the first module.
    pub(crate) fn insert_main(
        &mut self,
        name: Arc<str>,
        info: Arc<ModuleInfo>,
        instance: Instance,
        hash: Option<ContentHash>,
        shared: Shared<Extern>,
    ) {
        if self.shared.is_some() {
            return;
        }
        let id = self.insert(Module {
            path: name,
            file: None,
            info,
            phase: Phase::Ready,
            instance: Some(instance),
            // Main is not position independent: its addresses and slots count from 0.
            memory_base: Address(0),
            table_base: Slot(0),
            allocation: None,
            extra_slots: HashMap::new(),
            needs: Vec::new(),
            uses: Vec::new(),
            root: ModuleId::MAIN,
            opens: 0,
            global: true,
            nodelete: true,
            planned: None,
            initialized: 0,
        });
        debug_assert_eq!(
            id,
            ModuleId::MAIN,
            "main is attached before anything is loaded"
        );
        if let Some(main) = self.modules.get(&id) {
            self.global.enter(id, &main.path, &main.info);
        }
        self.main_hash = hash;
        self.shared = Some(shared);
    }
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
