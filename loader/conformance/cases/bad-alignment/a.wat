(module
  (@dylink.0 (mem-info (memory 4 32) (table 0 0)))
  (@custom "test.abi" "\07")
)
