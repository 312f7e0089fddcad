(module
  (@dylink.0 (mem-info (memory 3 10) (table 3 3)))
  (@custom "test.abi" "\07")
  (import "env" "memory" (memory 0))
  (import "env" "__indirect_function_table" (table 0 funcref))
  (import "env" "__memory_base" (global $mb i32))
  (import "env" "__table_base" (global $tb i32))
  (func (export "misaligned_memory") (result i32) (i32.and (global.get $mb) (i32.const 1023)))
  (func (export "misaligned_slots") (result i32) (i32.and (global.get $tb) (i32.const 7)))
  ;; The last of 3 slots is this module's own.
  (elem (i32.add (global.get $tb) (i32.const 2)) func $f)
  (func $f (export "f") (result i32) (i32.const 9))
  (func (export "misaligned_odd") (result i32)
    (i32.sub (call_indirect (result i32) (i32.add (global.get $tb) (i32.const 2))) (i32.const 9))))
