(module
  (@dylink.0 (mem-info (memory 8 0) (table 0 0)))
  (@custom "test.abi" "\07")
  (func (export "in_library_path"))
  (global (export "datum_in_library_path") i32 (i32.const 4))
  (func (export "in_both")))
