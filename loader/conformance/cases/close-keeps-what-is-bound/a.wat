(module
  (@dylink.0 (mem-info (memory 8 2) (table 0 0)))
  (@custom "test.abi" "\07")
  (import "env" "memory" (memory 0))
  (import "env" "__indirect_function_table" (table 0 funcref))
  (import "env" "__memory_base" (global $mb i32))
  (import "env" "__table_base" (global $tb i32))
  (func (export "value") (result i32) (i32.const 5)))
