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

/// The skeleton of a module; with a key, it is a side module's.
///
/// # Errors
/// When `module` is not WebAssembly, or is damaged.
pub fn skeleton(module: &[u8], key: Option<&str>) -> wasmparser::Result<Vec<u8>> {
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
                        data: bytes(module, range),
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
pub fn with_memory_limit(module: &[u8], limit: u64) -> wasmparser::Result<Vec<u8>> {
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
                data: bytes(module, range),
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

/// A section's content, which the parser has found to be there.
fn bytes(module: &[u8], range: Range<u64>) -> &[u8] {
    &module[range.start as usize..range.end as usize]
}

/// What the linker reads of custom sections, and nothing for debuggers.
fn is_kept(name: &str) -> bool {
    name == "dylink.0" || name == pymode_abi::SECTION
}
