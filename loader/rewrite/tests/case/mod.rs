//! The files of a case of the conformance suite, its side modules rewritten. The tests of the engines include this file.

use pymode_dylink::{ImportKind, ModuleInfo};
use pymode_dylink_conformance::case::Case;
use pymode_dylink_conformance::files::{Files, MAIN};
use pymode_dylink_rewrite::{ClosedSet, Kinds, Rewrite};

/// A side module of a case.
struct Side {
    file: u64,
    info: ModuleInfo,
    content: Vec<u8>,
}

/// The files, and how many imports and exports went.
pub(crate) fn rewritten(case: &Case, kinds: Kinds) -> Result<(Files, usize), String> {
    let files = case.files()?;
    let main =
        ModuleInfo::main_from_bytes(&files.read(MAIN)?).map_err(|error| error.to_string())?;
    let mut sides: Vec<Side> = Vec::new();
    for (path, file, content) in files.entries() {
        let known = path == MAIN || sides.iter().any(|side| side.file == file);
        if let (false, Ok(info)) = (known, ModuleInfo::from_bytes(content)) {
            let content = content.to_vec();
            sides.push(Side {
                file,
                info,
                content,
            });
        }
    }
    let infos: Vec<&ModuleInfo> = sides.iter().map(|side| &side.info).collect();
    // The case looks up the names in its text; the names that its guests look up are not known.
    let asks = |info: &ModuleInfo| {
        let mut hosts = info.imports.iter();
        hosts.any(|import| import.kind == ImportKind::Host && &*import.name == "dlsym")
    };
    let guests_ask = infos.iter().copied().chain([&main]).any(asks);
    let rewrites = ClosedSet {
        main: &main,
        sides: &infos,
        asks: &|name| guests_ask || name.starts_with("PyInit_") || case.text.contains(name),
        kinds,
    }
    .rewrites();
    let mut done = 0;
    let mut new: Vec<(u64, Vec<u8>)> = Vec::new();
    for (side, rewrite) in sides.iter().zip(&rewrites) {
        if let Ok(content) = rewrite.apply(&side.content) {
            done += gone(rewrite);
            new.push((side.file, content));
        }
    }
    let mut out = Files::default();
    out.library_path.clone_from(&files.library_path);
    for (path, file, content) in files.entries() {
        let new = new.iter().find(|(other, _)| *other == file && path != MAIN);
        out.put(path, file, new.map_or(content, |(_, new)| new).to_vec());
    }
    Ok((out, done))
}

fn gone(rewrite: &Rewrite) -> usize {
    rewrite.imports.len() + rewrite.exports.len()
}
