(module
  (@dylink.0 (mem-info (memory 0 0) (table 0 0)) (needed "liba.wasm"))
  (@custom "test.abi" "\07")
  (import "env" "__indirect_function_table" (table 0 funcref))
  (import "GOT.func" "f" (global $f (mut i32)))
  (func (export "b") (result i32) (global.get $f)))
