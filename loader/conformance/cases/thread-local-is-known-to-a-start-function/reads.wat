(module
  (@dylink.0 (mem-info (memory 0 2) (table 0 0)))
  (@custom "test.abi" "\07")
  (import "env" "memory" (memory 0))
  (import "env" "__indirect_function_table" (table 0 funcref))
  (import "env" "__memory_base" (global $mb i32))
  (import "env" "__table_base" (global $tb i32))
  (import "GOT.mem" "local" (global $local (mut i32)))
  (func (export "reads") (result i32) (global.get $local)))
