(module
  (@dylink.0 (mem-info (memory 12 0) (table 0 0)))
  (@custom "test.abi" "\07")
  (import "env" "memory" (memory 0))
  (import "env" "__indirect_function_table" (table 0 funcref))
  (import "env" "__memory_base" (global $mb i32))
  (import "env" "__table_base" (global $tb i32))
  (import "test" "dlopen" (func $dlopen (param i32 i32 i32) (result i32)))
  (import "test" "dlsym" (func $dlsym (param i32 i32 i32) (result i32)))

  (data (global.get $mb) "/b.wasmvalue")
  (global $got (mut i32) (i32.const 0))
  (func (export "__wasm_call_ctors") (local $b i32)
    (local.set $b (call $dlopen (global.get $mb) (i32.const 7) (i32.const 2)))
    (global.set $got
      (call_indirect (result i32)
        (call $dlsym (local.get $b) (i32.add (global.get $mb) (i32.const 7)) (i32.const 5)))))
  (func (export "get") (result i32) (global.get $got)))
