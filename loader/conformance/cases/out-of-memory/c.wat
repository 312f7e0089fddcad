(module
  (@dylink.0 (mem-info (memory 16777216 2) (table 0 0)))
  (@custom "test.abi" "\07")
)
