(module
  (@dylink.0 (mem-info (memory 4 2) (table 0 0)))
  (@custom "test.abi" "\07")
  (import "env" "memory" (memory 0))
  (import "env" "__indirect_function_table" (table 0 funcref))
  (import "env" "__memory_base" (global $mb i32))
  (import "env" "__table_base" (global $tb i32))
  ;; b's constructor reads a's `pointer`, which only a's relocations have set: they ran before.
  (import "GOT.mem" "pointer" (global $pointer (mut i32)))
  (global (export "b_value") i32 (i32.const 0))
  (data (global.get $mb) "\0b\00\00\00")
  (func (export "__wasm_call_ctors")
    (if (i32.ne (i32.load (global.get $pointer)) (global.get $mb)) (then (unreachable)))
    (i32.store (global.get $mb) (i32.mul (i32.load (global.get $mb)) (i32.const 10)))))
