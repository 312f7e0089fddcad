//! A case in the form for a Worker.

use libtest_mimic::Failed;
use pymode_dylink::{ModuleInfo, NotedModule, UndefinedIn, notes};
use pymode_dylink_conformance::case::Case;
use pymode_dylink_conformance::files::MAIN;
use pymode_dylink_rewrite::Kinds;
use pymode_workerd::pack::{self, Side};
use pymode_workerd::stub::{hash_of, stub};

use crate::case::rewritten;

/// Files, the modules that they stand for, and the link plan of all.
pub(crate) struct Packed {
    /// Paths, file numbers and contents.
    pub(crate) files: Vec<(String, u64, Vec<u8>)>,
    /// WebAssembly by key.
    pub(crate) modules: Vec<(String, Vec<u8>)>,
    pub(crate) plan: Vec<u8>,
}

/// A complete module of the case.
struct Whole {
    key: String,
    info: ModuleInfo,
    wasm: Vec<u8>,
}

/// The modules to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Modules {
    AsTheyAre,
    /// Rewritten modules. The files stand for the originals.
    Rewritten,
}

impl Packed {
    pub(crate) fn new(case: &Case, modules: Modules) -> Result<Packed, Failed> {
        let files = case.files()?;
        let loaded = match modules {
            Modules::AsTheyAre => files.clone(),
            Modules::Rewritten => rewritten(case, Kinds::ALL)?.0,
        };
        let plan = files.plan_for(&loaded, &|module, _| module == "test", &hash_of);
        let mut packed = Packed {
            files: Vec::new(),
            modules: Vec::new(),
            plan: plan.to_bytes(),
        };
        let mut main = None;
        let mut sides: Vec<Whole> = Vec::new();
        for (path, file, content) in files.entries() {
            let content = content.to_vec();
            let (seen, side, info) = if path == MAIN {
                let info = ModuleInfo::main_from_bytes(&content)?;
                (
                    stub(hash_of(&content)),
                    Some(Side::new(content)),
                    Some(info),
                )
            } else {
                let info = ModuleInfo::from_bytes(&content).ok();
                let (seen, side) = pack::file(content);
                (seen, side, info)
            };
            packed.files.push((path.to_owned(), file, seen));
            if let Some((side, info)) = side.zip(info) {
                let whole = Whole {
                    key: side.key(),
                    info,
                    wasm: side.wasm.clone(),
                };
                match path == MAIN {
                    true => main = Some(whole),
                    false => sides.push(whole),
                }
                packed.modules.push(module(match path == MAIN {
                    true => side,
                    false => Side::new(loaded.read(path)?),
                }));
            }
        }
        packed.note(&main.ok_or("a case has a main module")?, &sides);
        let forwarders = plan.common_thunks();
        let forwarders = forwarders.map(|(_, bridge)| module(Side::new(bridge.to_wasm())));
        packed.modules.extend(forwarders);
        Ok(packed)
    }

    /// Notes the facts that the linker in the Worker cannot see, as a bundle does.
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
            .map(|(whole, bytes)| NotedModule {
                key: &whole.key,
                info: &whole.info,
                bytes,
            });
        let Some(main) = noted.next() else { return };
        let sides: Vec<NotedModule<'_>> = noted.collect();
        let notes = notes(&main, &sides, UndefinedIn::Main, &|_, _| false);
        self.files.push(("notes".to_owned(), 0, notes.into_bytes()));
    }
}

/// Returns a module and its key.
fn module(side: Side) -> (String, Vec<u8>) {
    (format!("{:?}", side.hash), side.wasm)
}
