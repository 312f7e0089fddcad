//! The memory limit of a main module.

use pymode_toolchain::sections::{Edit, SectionError, edit};
use wasm_encoder::{MemorySection, MemoryType, SectionId};
use wasmparser::{BinaryReader, MemorySectionReader};

/// Returns the module with a memory that cannot grow beyond `limit` bytes: `memory.grow` and `malloc` then fail.
///
/// # Errors
/// When `module` is not WebAssembly, or is damaged.
pub(crate) fn with_memory_limit(module: &[u8], limit: u64) -> Result<Vec<u8>, SectionError> {
    edit(module, |section| {
        Ok(if section.id == u8::from(SectionId::Memory) {
            Edit::replace(&limited(section.content, limit)?)
        } else {
            Edit::Keep
        })
    })
}

fn limited(memories: &[u8], limit: u64) -> wasmparser::Result<MemorySection> {
    const PAGE: u64 = 65536;
    let mut section = MemorySection::new();
    for memory in MemorySectionReader::new(BinaryReader::new(memories, 0))? {
        let memory = memory?;
        let most = memory
            .maximum
            .unwrap_or(u64::MAX)
            .min(limit / PAGE)
            .max(memory.initial);
        section.memory(MemoryType {
            minimum: memory.initial,
            maximum: Some(most),
            memory64: memory.memory64,
            shared: memory.shared,
            page_size_log2: memory.page_size_log2,
        });
    }
    Ok(section)
}

#[cfg(test)]
mod tests {
    use pymode_toolchain::sections::sections;
    use wasmparser::Parser;

    use super::*;

    const MAIN: &str = r#"(module
        (type (func (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_close" (func (param i32) (result i32)))
        (memory (export "memory") 2 100)
        (table (export "__indirect_function_table") 4 funcref)
        (global (export "datum") i32 (i32.const 1024))
        (func (export "twice") (type 0) (i32.add (local.get 0) (local.get 0)))
        (func (export "nothing"))
        (elem (i32.const 1) func 1 2)
        (data (i32.const 1024) "some text"))"#;

    fn main_module() -> Vec<u8> {
        wat::parse_str(MAIN).expect("the text is well-formed")
    }

    #[test]
    fn memory_is_limited_and_nothing_else_is_changed() {
        let limited = with_memory_limit(&main_module(), 10 << 16).expect("it is a module");
        let expected =
            wat::parse_str(MAIN.replace("2 100", "2 10")).expect("the text is well-formed");
        let sections = |module: &[u8]| -> Vec<(u8, Vec<u8>)> {
            let all = sections(module).expect("it is a module");
            let all = all.iter();
            all.map(|section| (section.id, section.content.to_vec()))
                .collect()
        };
        assert_eq!(sections(&limited), sections(&expected));
        // The limit is at least the initial size.
        let least = with_memory_limit(&main_module(), 0).expect("it is a module");
        wasmparser::validate(&least).expect("it is valid");
    }

    #[test]
    fn a_module_that_is_cut_short_is_an_error() {
        let module = main_module();
        for end in 0..module.len() {
            // A cut between two sections leaves a valid module.
            let whole = Parser::new(0)
                .parse_all(&module[..end])
                .all(|payload| payload.is_ok());
            if !whole {
                assert!(with_memory_limit(&module[..end], 1 << 20).is_err(), "{end}");
            }
        }
    }
}
