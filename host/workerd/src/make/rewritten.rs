//! Rewrites the side modules of a bundle (`loader/rewrite`). No others can be loaded there, so the results of `dlopen` are written
//! into them. Their stub modules keep the original hashes, and the link plan maps these to the rewritten modules.

use std::fs;
use std::path::Path;

use pymode_dylink::{ImportKind, ModuleInfo};
use pymode_dylink_rewrite::{ClosedSet, Kinds, Rewrite};
use pymode_toolchain::{Cache, CacheError, Key};

use crate::OWN_SOURCES;
use crate::make::assemble::Tree;
use crate::make::pack::PackError;
use crate::make::python::{RewrittenSide, SideFile};
use crate::make::stub::{hash_of, key, stamp, stamped};

/// Symbols that a program may look up by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookups {
    /// The init functions of Python modules: python.wasm looks up no others.
    Init,
    /// Anything.
    Anything,
}

/// Prefixes of Python's init functions; the second is for names that are not ASCII.
const INIT: [&str; 2] = ["PyInit_", "PyInitU_"];
/// Imports of a side module that looks up symbols or their names itself.
const ASKING: [&str; 5] = ["dlsym", "dladdr", "dl_sym", "dl_sym_from", "dl_addr"];

/// Rewrites all side modules of a bundle whose main module is at `main`.
///
/// # Errors
/// When a file cannot be read or written, or is not a module.
pub(crate) fn rewrite(
    cache: &Cache,
    main: &Path,
    asks: Lookups,
    trees: &mut [Tree],
    loose: &mut [SideFile],
) -> Result<(), PackError> {
    let read = |path: &Path| fs::read(path).map_err(CacheError::io("read", path));
    let of_main = ModuleInfo::main_from_bytes(&read(main)?).map_err(|error| PackError::Main {
        path: main.into(),
        reason: error.to_string(),
    })?;
    let found = trees.iter_mut().flat_map(|tree| &mut tree.files.sides);
    let mut sides: Vec<(&mut SideFile, Vec<u8>, ModuleInfo)> = Vec::new();
    for side in found.chain(loose) {
        let bytes = read(&side.file)?;
        let info = ModuleInfo::from_bytes(&bytes).map_err(|error| PackError::Side {
            path: side.file.clone(),
            reason: error.to_string(),
        })?;
        sides.push((side, bytes, info));
    }
    // A module without a path counts as one file.
    let places = |side: &SideFile| side.paths.len().max(1);
    let all = sides.iter();
    let files = all.flat_map(|(side, _, info)| std::iter::repeat_n(info, places(side)));
    let files: Vec<&ModuleInfo> = files.collect();
    let anything = asks == Lookups::Anything || files.iter().any(|info| asks_itself(info));
    let rewrites = ClosedSet {
        main: &of_main,
        sides: &files,
        asks: &|name| anything || INIT.iter().any(|start| name.starts_with(start)),
        kinds: Kinds::ALL,
    }
    .rewrites();
    // All files of one module are rewritten in the same way.
    let mut next = 0;
    for (side, bytes, _) in &mut sides {
        let first = next;
        next += places(side);
        if let Some(rewrite) = rewrites[first..next].first() {
            side.loaded = loaded(cache, bytes, rewrite)?;
        }
    }
    Ok(())
}

fn asks_itself(info: &ModuleInfo) -> bool {
    info.imports.iter().any(|import| {
        matches!(import.kind, ImportKind::Host | ImportKind::Function { .. })
            && ASKING.contains(&&*import.name)
    })
}

/// Returns the rewritten module, if there is one. A module that cannot be rewritten is loaded unchanged.
fn loaded(
    cache: &Cache,
    side: &[u8],
    rewrite: &Rewrite,
) -> Result<Option<RewrittenSide>, PackError> {
    if rewrite.is_nothing() {
        return Ok(None);
    }
    let (module, hash) = match stamp(side) {
        Some(whole) => whole,
        None => (side, hash_of(side)),
    };
    let entry = Key::new("rewritten")
        .field("module", format!("{hash:?}"))
        .field("rewrite", format!("{rewrite:?}"))
        .field("tool", OWN_SOURCES);
    let dir = cache.entry("worker-side", &entry, |dir| {
        let Ok(new) = rewrite.apply(module) else {
            return Ok::<_, PackError>(());
        };
        let hash = hash_of(&new);
        let path = dir.join(format!("{}.wasm", key(hash)));
        Ok(fs::write(&path, stamped(new, hash)).map_err(CacheError::io("write", &path))?)
    })?;
    let mut files = fs::read_dir(&dir).map_err(CacheError::io("list", &dir))?;
    let file = files.find_map(|entry| Some(entry.ok()?.path()));
    Ok(file.and_then(|file| {
        Some(RewrittenSide {
            key: file.file_stem()?.to_str()?.to_owned(),
            file,
        })
    }))
}
