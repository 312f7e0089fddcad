//! The main module becomes the first module of the program.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::calls::process::{Main, Process};
use crate::error::OpenError;
use crate::module::ModuleInfo;
use crate::program::ids::{Address, ModuleId, Slot};
use crate::program::{Allocator, Module, Program, Shared, State};

/// What every side module is bound to. The first call asks the process for its main module.
pub(crate) fn attach<P: Process>(process: &mut P) -> Result<Shared<P::Extern>, OpenError> {
    if let Some(shared) = process.program(|program| program.shared.clone()) {
        return Ok(shared);
    }
    let main = process
        .main()
        .map_err(|reason| OpenError::MainUnreadable { reason })?;
    process.program(|program| program.check_contract(&main.name, &main.info))?;
    let shared = shared(process, &main)?;
    process.program(|program| program.insert_main(main, shared.clone()));
    Ok(shared)
}

fn shared<P: Process>(
    process: &mut P,
    main: &Main<P::Instance>,
) -> Result<Shared<P::Extern>, OpenError> {
    let mut missing = Vec::new();
    let mut export = |name: &'static str| {
        let found = process.export(&main.instance, name);
        if found.is_none() {
            missing.push(name);
        }
        found
    };
    let memory = export("memory");
    let table = export("__indirect_function_table");
    let stack_pointer = export("__stack_pointer");
    let malloc = export("malloc");
    let free = export("free");
    match (memory, table, stack_pointer, malloc, free) {
        (Some(memory), Some(table), Some(stack_pointer), Some(malloc), Some(free)) => Ok(Shared {
            memory,
            table,
            stack_pointer,
            allocator: Allocator {
                malloc,
                free,
                aligned_alloc: process.export(&main.instance, "aligned_alloc"),
            },
        }),
        _ => Err(OpenError::MainLacks {
            main: Arc::clone(&main.name),
            missing,
        }),
    }
}

impl<Instance, Extern> Program<Instance, Extern> {
    fn insert_main(&mut self, main: Main<Instance>, shared: Shared<Extern>) {
        if self.shared.is_some() {
            return;
        }
        let id = self.insert(Module {
            path: main.name,
            file: None,
            info: main.info,
            state: State::Ready,
            instance: Some(main.instance),
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
        self.shared = Some(shared);
    }

    /// Refuses a module that was built for another version of the contract.
    pub(crate) fn check_contract(&self, path: &str, info: &ModuleInfo) -> Result<(), OpenError> {
        let Some(contract) = &self.config.contract else {
            return Ok(());
        };
        let found = info.stamp(&contract.section);
        if found == Some(contract.version) {
            return Ok(());
        }
        Err(OpenError::Contract {
            path: path.to_string(),
            section: contract.section.to_string(),
            found,
            wanted: contract.version,
        })
    }
}
