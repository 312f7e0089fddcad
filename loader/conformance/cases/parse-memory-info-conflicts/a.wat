(module
  (@custom "dylink.0" (before first)
    "\01\04\04\02\00\00"
    "\01\04\08\02\00\00")
  (@custom "test.abi" "\07")
)
