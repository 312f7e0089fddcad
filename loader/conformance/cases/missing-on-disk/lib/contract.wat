(module
  (@dylink.0 (mem-info (memory 8 0) (table 0 0)))
  (@custom "test.abi" "\08")
  (func (export "other_contract")))
