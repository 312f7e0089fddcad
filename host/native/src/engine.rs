//! The configuration of wasmtime.

use crate::threads;
use pymode_dylink_wasmtime::engine_config;
use wasmtime::{Engine, OptLevel, WasmBacktraceDetails};

/// Maximum stack of the guest, in bytes of the host's stack: a Python that recurses through C extensions needs more than
/// wasmtime's
/// default of half a megabyte. Deeper recursion traps.
pub(crate) const GUEST_STACK: usize = 16 << 20;

/// The stack of the thread that a guest runs on: what the host itself needs comes on top of the guest's.
pub(crate) const THREAD_STACK: usize = GUEST_STACK + (4 << 20);

/// The engine that all guests of this process may share.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    let mut config = engine_config();
    config
        // The eval loop runs at the speed that Cranelift gives it; compiled code is kept, so its time does not count.
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(GUEST_STACK)
        // Of each thread.
        .async_stack_size(THREAD_STACK)
        // Pages of data come straight from the mapped code file, when they are touched.
        .memory_init_cow(true)
        .table_lazy_init(true)
        // Traces name functions; they need no unwind tables of the system, which would be registered at each start.
        .native_unwind_info(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable);
    if threads::SUPPORTED {
        // Only the module in `threads/` may use them: `GUEST_FEATURES` is what guests are checked against.
        config
            .wasm_function_references(true)
            .wasm_gc(true)
            .wasm_stack_switching(true);
    }
    Engine::new(&config)
}
