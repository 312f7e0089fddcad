//! State of one running guest: the data of its wasmtime store.

use crate::threads::Threads;
use pymode_abi::{SECTION, VERSION};
use pymode_dylink::{Config, Contract, Event, FileId};
use pymode_dylink_wasmtime::{CodeCache, Linkage};
use pymode_host::dl::{CONTRACT_HINT, IDENTIFYING_IMPORTS};
use pymode_host::vfs::{FileKind, Follow, GuestPath};
use pymode_host::wasi::{self, Stream, Wasi};
use wasmtime::{Caller, Extern, Memory, StoreLimits};

/// Maximum number of files of a directory that are read for a message.
const LISTED: usize = 1024;
const READ_FOR_HINTS: u64 = 64 << 20;

/// One running guest.
pub(crate) struct GuestProcess {
    pub(crate) wasi: Wasi,
    /// Main's memory, which all modules of the guest share. None until main is instantiated.
    pub(crate) memory: Option<Memory>,
    pub(crate) limits: StoreLimits,
    /// None if it was not linked with threads, or this machine cannot switch stacks.
    pub(crate) threads: Option<Threads>,
    /// Output of the loader's trace.
    pub(crate) trace: Option<Box<dyn Stream>>,
    linkage: Linkage<GuestProcess>,
}

impl GuestProcess {
    pub(crate) fn new(
        wasi: Wasi,
        limits: StoreLimits,
        origin: Option<String>,
        library_path: Vec<String>,
        cache: CodeCache,
    ) -> GuestProcess {
        let config = Config {
            origin,
            contract: Some(Contract {
                section: SECTION.into(),
                version: VERSION,
                hint: CONTRACT_HINT.into(),
            }),
            library_path,
            identifying_imports: IDENTIFYING_IMPORTS.map(Into::into).into(),
        };
        GuestProcess {
            wasi,
            memory: None,
            limits,
            threads: None,
            trace: None,
            linkage: Linkage::new(config, Some(cache)),
        }
    }
}

impl pymode_dylink_wasmtime::StoreData for GuestProcess {
    fn linkage(&mut self) -> &mut Linkage<GuestProcess> {
        &mut self.linkage
    }

    fn identify(&mut self, path: &str) -> Option<FileId> {
        let stat = self
            .wasi
            .vfs()
            .stat(GuestPath::absolute(path.as_bytes()), Follow::Yes)
            .ok()?;
        let id = FileId {
            volume: stat.device,
            file: stat.inode,
        };
        (stat.kind != FileKind::Directory).then_some(id)
    }

    fn list(&mut self, directory: &str) -> Vec<String> {
        let vfs = self.wasi.vfs();
        let entries = vfs.read_dir(GuestPath::absolute(directory.as_bytes()));
        let entries = entries.unwrap_or_default().into_iter().take(LISTED);
        let names = entries.filter_map(|entry| String::from_utf8(entry.name).ok());
        // A pipe or a device would be waited for.
        let short = |name: &String| {
            let path = format!("{directory}/{name}");
            let stat = vfs.stat(GuestPath::absolute(path.as_bytes()), Follow::Yes);
            stat.is_ok_and(|stat| stat.kind == FileKind::RegularFile && stat.size <= READ_FOR_HINTS)
        };
        names.filter(short).collect()
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let read = self.wasi.vfs().read_file(path.as_bytes());
        read.map(|(bytes, _)| bytes)
            .map_err(|errno| errno.to_string())
    }

    fn traces(&mut self) -> bool {
        self.trace.is_some()
    }

    fn trace(&mut self, event: Event<'_>) {
        let Some(stream) = &mut self.trace else {
            return;
        };
        let text = event.to_string();
        let lines = text.lines();
        let lines: String = lines.map(|line| format!("pymode dl: {line}\n")).collect();
        let mut rest = lines.as_bytes();
        // A closed stream must not stop the guest.
        while let Ok(written @ 1..) = stream.write(rest, true) {
            rest = rest.get(written..).unwrap_or_default();
        }
    }

    fn is_exit(error: &wasmtime::Error) -> bool {
        error.is::<wasi::Exit>()
    }
}

/// The guest's memory as bytes, and the guest.
pub(crate) fn parts<'a>(
    caller: &'a mut Caller<'_, GuestProcess>,
) -> wasmtime::Result<(&'a mut [u8], &'a mut GuestProcess)> {
    let memory = match caller.data().memory {
        Some(memory) => memory,
        // A start function calls before main's exports are known to us.
        None => caller
            .get_export("memory")
            .and_then(Extern::into_memory)
            .ok_or_else(|| {
                wasmtime::Error::msg("the module calls the host but exports no `memory`")
            })?,
    };
    Ok(memory.data_and_store_mut(caller))
}
