(module
  (@dylink.0 (mem-info (memory 0 0) (table 0 0)))
  (@custom "test.abi" "\07")
  (func $kept (result i32) (i32.const 1))
  (func $kept_address (result i32) (i32.const 2))
  (func (export "shown") (result i32) (i32.add (call $kept) (call $kept_address))))
