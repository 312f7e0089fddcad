(module
  (@dylink.0 (mem-info (memory 8 2) (table 0 0)))
  (@custom "test.abi" "\07")
)
