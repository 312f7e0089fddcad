//! A case as a Worker takes it.

use libtest_mimic::Failed;
use pymode_dylink::{Bridge, Doubt, ModuleInfo, Noted, notes};
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

/// A module of the case, whole.
struct Whole {
    key: String,
    info: ModuleInfo,
    wasm: Vec<u8>,
}

impl Packed {
    pub(crate) fn new(case: &Case) -> Result<Packed, Failed> {
        let mut packed = Packed {
            files: Vec::new(),
            modules: Vec::new(),
        };
        let mut main = None;
        let mut sides: Vec<Whole> = Vec::new();
        for (path, file, content) in case.files()?.entries() {
            let content = content.to_vec();
            if path == MAIN {
                main = Some(Whole {
                    info: ModuleInfo::main_from_bytes(&content)?,
                    key: packed.module(path, file, content.clone())?,
                    wasm: content,
                });
                continue;
            }
            let info = ModuleInfo::from_bytes(&content).ok();
            let (seen, side) = pack::file(content);
            packed.files.push((path.to_owned(), file, seen));
            if let Some((side, info)) = side.zip(info) {
                packed.modules.push((side.key.clone(), side.wasm.clone()));
                sides.push(Whole {
                    key: side.key,
                    info,
                    wasm: side.wasm,
                });
            }
        }
        let main = main.ok_or("a case has a main module")?;
        packed.note(&main, &sides);
        let infos: Vec<ModuleInfo> = sides.into_iter().map(|side| side.info).collect();
        if let Some(forwarders) = Bridge::common(&main.info, &infos) {
            packed.module("forwarders", 0, forwarders.to_wasm())?;
        }
        Ok(packed)
    }

    /// What the linker inside cannot see, as a bundle has it.
    fn note(&mut self, main: &Whole, sides: &[Whole]) {
        let readers: Vec<_> = [main]
            .into_iter()
            .chain(sides)
            .map(|whole| move || Some(whole.wasm.clone()))
            .collect();
        let mut noted = [main]
            .into_iter()
            .chain(sides)
            .zip(&readers)
            .map(|(whole, bytes)| Noted {
                key: &whole.key,
                info: &whole.info,
                bytes,
            });
        let Some(main) = noted.next() else { return };
        let sides: Vec<Noted<'_>> = noted.collect();
        let notes = notes(&main, &sides, Doubt::Any, &|_, _| false);
        self.files.push(("notes".to_owned(), 0, notes.into_bytes()));
    }

    /// A module that is no side module.
    fn module(&mut self, path: &str, file: u64, wasm: Vec<u8>) -> Result<String, Failed> {
        let key = Sha256Hex::of(&wasm).as_str()[..24].to_owned();
        let skeleton = skeleton::skeleton(&wasm, Some(&key))?;
        self.files.push((path.to_owned(), file, skeleton));
        self.modules.push((key.clone(), wasm));
        Ok(key)
    }
}
