//! Skeletons: what a module says of itself, without what it does.
//!
//! A Worker gets modules compiled, and JavaScript tells nothing of their types. So the linker inside reads a skeleton: the
//! module's own sections in the same format, with its code replaced by traps and without its data and debug information. It
//! is small (a tenth and less), and
//! never goes out of step with the module, because it is made from it. A side module's skeleton ends with the key of its
//! compiled form in a custom section, and lies in the image where the module would lie.

use std::ops::Range;

use wasm_encoder::{
    CodeSection, CustomSection, Function, Instruction, MemorySection, MemoryType, Module,
    RawSection,
};
use wasmparser::{Chunk, Parser, Payload};

/// The custom section with the key.
const KEY_SECTION: &str = "pymode.code";
/// The id of the data section and of the one that counts its segments.
const DATA: [u8; 2] = [11, 12];

/// Bytes that are no module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SkeletonError {
    /// They are not well-formed.
    #[error(transparent)]
    Malformed(#[from] wasmparser::BinaryReaderError),
    /// They end in the middle of a section.
    #[error("it is cut short: the section at byte {at} goes on behind its end")]
    CutShort {
        /// Where the section's content begins.
        at: u64,
    },
}

/// The skeleton of a module; with a key, it is a side module's.
///
/// # Errors
/// When `module` is not WebAssembly, or is damaged.
pub fn skeleton(module: &[u8], key: Option<&str>) -> Result<Vec<u8>, SkeletonError> {
    let mut out = Module::new();
    let mut parser = Parser::new(0);
    let mut rest = module;
    loop {
        let (payload, consumed) = match parser.parse(rest, true)? {
            Chunk::Parsed { payload, consumed } => (payload, consumed),
            Chunk::NeedMoreData(_) => unreachable!("all there is was given"),
        };
        if let Payload::End(_) = payload {
            break;
        }
        rest = &rest[consumed..];
        match payload {
            Payload::CustomSection(section) if !is_kept(section.name()) => {}
            Payload::CodeSectionStart { count, size, .. } => {
                out.section(&traps(count));
                rest = rest.get(size as usize..).unwrap_or_default();
                parser.skip_section();
            }
            payload => {
                if let Some((id, range)) = payload.as_section().filter(|(id, _)| !DATA.contains(id))
                {
                    out.section(&RawSection {
                        id,
                        data: bytes(module, range)?,
                    });
                }
            }
        }
    }
    if let Some(key) = key {
        out.section(&CustomSection {
            name: KEY_SECTION.into(),
            data: key.as_bytes().into(),
        });
    }
    Ok(out.finish())
}

/// The key in a side module's skeleton.
pub fn key(skeleton: &[u8]) -> Option<&str> {
    if !skeleton.starts_with(b"\0asm") {
        return None;
    }
    let sections = Parser::new(0).parse_all(skeleton).filter_map(Result::ok);
    let mut keys = sections.filter_map(|payload| match payload {
        Payload::CustomSection(section) if section.name() == KEY_SECTION => {
            str::from_utf8(section.data()).ok()
        }
        _ => None,
    });
    keys.next()
}

/// The same module, whose own memory cannot grow beyond `limit` bytes: then `memory.grow` fails, and `malloc` with it.
///
/// # Errors
/// When `module` is not WebAssembly, or is damaged.
pub fn with_memory_limit(module: &[u8], limit: u64) -> Result<Vec<u8>, SkeletonError> {
    const PAGE: u64 = 65536;
    let mut out = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if let Payload::MemorySection(section) = payload {
            let mut memories = MemorySection::new();
            for memory in section {
                let memory = memory?;
                let most = memory
                    .maximum
                    .unwrap_or(u64::MAX)
                    .min(limit / PAGE)
                    .max(memory.initial);
                memories.memory(MemoryType {
                    minimum: memory.initial,
                    maximum: Some(most),
                    memory64: memory.memory64,
                    shared: memory.shared,
                    page_size_log2: memory.page_size_log2,
                });
            }
            out.section(&memories);
        } else if let Some((id, range)) = payload.as_section() {
            out.section(&RawSection {
                id,
                data: bytes(module, range)?,
            });
        }
    }
    Ok(out.finish())
}

/// As many functions as the module has: without them it would not be well-formed.
fn traps(count: u32) -> CodeSection {
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    body.instruction(&Instruction::Unreachable)
        .instruction(&Instruction::End);
    for _ in 0..count {
        code.function(&body);
    }
    code
}

/// A section's content. Of a code section the parser looks only at the front, so the rest may be missing.
fn bytes(module: &[u8], range: Range<u64>) -> Result<&[u8], SkeletonError> {
    let found = module.get(range.start as usize..range.end as usize);
    found.ok_or(SkeletonError::CutShort { at: range.start })
}

/// What the linker reads of custom sections, and nothing for debuggers: how to load it, and which contract it keeps
/// ([`pymode_abi::SECTION`], or that of another program).
fn is_kept(name: &str) -> bool {
    name == "dylink.0" || name.ends_with(".abi")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pymode_dylink::ModuleInfo;

    const MAIN: &str = r#"(module
        (type (func (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_close" (func (param i32) (result i32)))
        (memory (export "memory") 2 100)
        (table (export "__indirect_function_table") 4 funcref)
        (global (export "datum") i32 (i32.const 1024))
        (func (export "twice") (type 0) (i32.add (local.get 0) (local.get 0)))
        (func (export "nothing"))
        (elem (i32.const 1) func 1 2)
        (data (i32.const 1024) "a text that is not in the skeleton"))"#;

    fn main_module() -> Vec<u8> {
        wat::parse_str(MAIN).expect("the text is well-formed")
    }

    #[test]
    fn a_skeleton_says_the_same_of_itself() {
        let module = main_module();
        let skeleton = skeleton(&module, None).expect("it is a module");
        wasmparser::validate(&skeleton).expect("the skeleton is valid");
        assert!(!skeleton.windows(6).any(|bytes| bytes == b"a text"));
        let [whole, bare] = [&module, &skeleton]
            .map(|bytes| ModuleInfo::main_from_bytes(bytes).expect("it is a main module"));
        assert_eq!(format!("{whole:?}"), format!("{bare:?}"));
    }

    #[test]
    fn a_key_is_found_again_and_only_in_skeletons() {
        let module = main_module();
        let with_key = skeleton(&module, Some("0123abc")).expect("it is a module");
        assert_eq!(key(&with_key), Some("0123abc"));
        assert_eq!(key(&module), None);
        assert_eq!(key(b"0123abc"), None);
    }

    #[test]
    fn memory_is_limited_and_nothing_else_is_changed() {
        let limited = with_memory_limit(&main_module(), 10 << 16).expect("it is a module");
        let expected =
            wat::parse_str(MAIN.replace("2 100", "2 10")).expect("the text is well-formed");
        let sections = |module: &[u8]| -> Vec<Vec<u8>> {
            let payloads = Parser::new(0)
                .parse_all(module)
                .map(|payload| payload.expect("it is a module"));
            payloads
                .filter_map(|payload| {
                    payload
                        .as_section()
                        .map(|(_, range)| bytes(module, range).expect("it is a module").to_vec())
                })
                .collect()
        };
        assert_eq!(sections(&limited), sections(&expected));
        // Less than it starts with it cannot have.
        let least = with_memory_limit(&main_module(), 0).expect("it is a module");
        wasmparser::validate(&least).expect("it is valid");
    }

    #[test]
    fn a_module_that_is_cut_short_is_an_error() {
        let module = main_module();
        for end in 0..module.len() {
            // Some ends fall between two sections: what is there then is a module.
            let whole = Parser::new(0)
                .parse_all(&module[..end])
                .all(|payload| payload.is_ok());
            if !whole {
                assert!(with_memory_limit(&module[..end], 1 << 20).is_err(), "{end}");
            }
            let _ = skeleton(&module[..end], None);
        }
    }
}
