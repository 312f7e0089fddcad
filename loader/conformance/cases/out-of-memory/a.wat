(module
  (@dylink.0 (mem-info (memory 16 4) (table 0 0))
    (needed "b.wasm" "c.wasm")
    (runtime-path "$ORIGIN"))
  (@custom "test.abi" "\07")
)
