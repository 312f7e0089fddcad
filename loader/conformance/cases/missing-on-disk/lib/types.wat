(module
  (@dylink.0 (mem-info (memory 8 0) (table 0 0)))
  (@custom "test.abi" "\07")
  (func (export "other_type") (result i32) (i32.const 1))
  (func (export "other_kind")))
