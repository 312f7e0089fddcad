(module
  (@dylink.0 (mem-info (memory 0 0) (table 0 0))
    (needed "newer.wasm")
    (runtime-path "$ORIGIN"))
  (@custom "test.abi" "\07")
)
