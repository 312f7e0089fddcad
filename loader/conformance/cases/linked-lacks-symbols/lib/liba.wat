(module
  (@dylink.0 (mem-info (memory 8 2) (table 0 0)))
  (@custom "test.abi" "\07")
  (import "env" "memory" (memory 0))
  (import "env" "__memory_base" (global $mb i32))
  (data (global.get $mb) "\00\00\00\00\28\00\00\00")
  (global (export "d") i32 (i32.const 4))
  (global (export "g") i32 (i32.const 0))
  (func (export "odd") (param i32)))
