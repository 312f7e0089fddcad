//! Memory views: modules by which the host reads and writes other memories.
//!
//! The host and each guest have memories of their own, and an image has none. Small WebAssembly modules that import two memories
//! copy between them as fast as `memcpy`, without JavaScript and without typed arrays, which detach whenever a memory grows. The
//! host calls their functions through its own table.

use wasm_encoder::{
    CodeSection, DataCountSection, DataSection, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, ImportSection, Instruction, MemoryType, Module, TypeSection, ValType,
};

const GUEST: u32 = 0;
const HOST: u32 = 1;

/// Returns the view of a guest's memory. It exports `read(host, guest, length)`, `write(guest, host, length)`, which trap outside
/// of the memories, and `pages()`.
pub(crate) fn memory_view() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 3], []);
    types.ty().function([], [ValType::I32]);

    let mut functions = FunctionSection::new();
    functions.function(0).function(0).function(1);
    let mut exports = ExportSection::new();
    for (at, name) in (0..).zip(["read", "write", "pages"]) {
        exports.export(name, ExportKind::Func, at);
    }
    let mut code = CodeSection::new();
    code.function(&copy(Instruction::MemoryCopy {
        src_mem: GUEST,
        dst_mem: HOST,
    }));
    code.function(&copy(Instruction::MemoryCopy {
        src_mem: HOST,
        dst_mem: GUEST,
    }));
    let mut pages = Function::new([]);
    pages
        .instruction(&Instruction::MemorySize(GUEST))
        .instruction(&Instruction::End);
    code.function(&pages);

    let mut module = Module::new();
    module
        .section(&types)
        .section(&memories())
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// Returns a module that contains an image. It exports `read(host, offset, length)` and `read_to_guest(guest, offset, length)`,
/// which trap outside of the memories and of the image, and `size()`.
pub(crate) fn image_module(image: &[u8]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 3], []);
    types.ty().function([], [ValType::I32]);

    let mut functions = FunctionSection::new();
    functions.function(0).function(0).function(1);
    let mut exports = ExportSection::new();
    for (at, name) in (0..).zip(["read", "read_to_guest", "size"]) {
        exports.export(name, ExportKind::Func, at);
    }
    let mut code = CodeSection::new();
    code.function(&copy(Instruction::MemoryInit {
        mem: HOST,
        data_index: 0,
    }));
    code.function(&copy(Instruction::MemoryInit {
        mem: GUEST,
        data_index: 0,
    }));
    let mut size = Function::new([]);
    size.instruction(&Instruction::I32Const(image.len() as i32))
        .instruction(&Instruction::End);
    code.function(&size);
    let mut data = DataSection::new();
    data.passive(image.iter().copied());

    let mut module = Module::new();
    module
        .section(&types)
        .section(&memories())
        .section(&functions)
        .section(&exports)
        .section(&DataCountSection { count: 1 })
        .section(&code)
        .section(&data);
    module.finish()
}

fn memories() -> ImportSection {
    let mut imports = ImportSection::new();
    let any = MemoryType {
        minimum: 0,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    };
    imports.import("guest", "memory", EntityType::Memory(any));
    imports.import("host", "memory", EntityType::Memory(any));
    imports
}

/// Returns a function of `(destination, source, length)`.
fn copy(instruction: Instruction<'_>) -> Function {
    let mut body = Function::new([]);
    for param in 0..3 {
        body.instruction(&Instruction::LocalGet(param));
    }
    body.instruction(&instruction)
        .instruction(&Instruction::End);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_valid() {
        wasmparser::validate(&memory_view()).expect("the view is valid");
        for image in [&b""[..], b"some bytes"] {
            wasmparser::validate(&image_module(image)).expect("the carrier is valid");
        }
    }
}
