//! A case as a Worker takes it.

use libtest_mimic::Failed;
use pymode_dylink::{Bridge, ModuleInfo};
use pymode_dylink_conformance::case::Case;
use pymode_dylink_conformance::files::MAIN;
use pymode_toolchain::Sha256Hex;
use pymode_workerd::{pack, skeleton};

/// Files, and the modules that they stand for.
pub(crate) struct Packed {
    /// Paths, which file each is, and contents.
    pub(crate) files: Vec<(String, u64, Vec<u8>)>,
    /// WebAssembly by key.
    pub(crate) modules: Vec<(String, Vec<u8>)>,
}

impl Packed {
    pub(crate) fn new(case: &Case) -> Result<Packed, Failed> {
        let mut packed = Packed {
            files: Vec::new(),
            modules: Vec::new(),
        };
        let mut main = None;
        let mut sides = Vec::new();
        for (path, file, content) in case.files()?.entries() {
            let content = content.to_vec();
            if path == MAIN {
                main = Some(ModuleInfo::main_from_bytes(&content)?);
                packed.module(path, file, content)?;
                continue;
            }
            sides.extend(ModuleInfo::from_bytes(&content).ok());
            let (seen, side) = pack::file(content);
            packed.files.push((path.to_owned(), file, seen));
            packed
                .modules
                .extend(side.map(|side| (side.key, side.wasm)));
        }
        let main = main.ok_or("a case has a main module")?;
        if let Some(forwarders) = Bridge::common(&main, &sides) {
            packed.module("forwarders", 0, forwarders.to_wasm())?;
        }
        Ok(packed)
    }

    /// A module that is no side module.
    fn module(&mut self, path: &str, file: u64, wasm: Vec<u8>) -> Result<(), Failed> {
        let key = Sha256Hex::of(&wasm).as_str()[..24].to_owned();
        let skeleton = skeleton::skeleton(&wasm, Some(&key))?;
        self.files.push((path.to_owned(), file, skeleton));
        self.modules.push((key, wasm));
        Ok(())
    }
}
