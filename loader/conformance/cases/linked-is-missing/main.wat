;; It was linked with two libraries.
(module
  (@custom "test.abi" "\07")
  (@custom "pymode.link" "\02\15\02\09liba.wasm\09libb.wasm")
  (memory (export "memory") 2)
  (table (export "__indirect_function_table") 8 funcref)
  (global (export "__stack_pointer") (mut i32) (i32.const 65536))
  (global $heap (mut i32) (i32.const 65536))
  (func (export "malloc") (param i32) (result i32)
    (global.set $heap (i32.add (global.get $heap) (i32.const 1024)))
    (memory.fill (i32.sub (global.get $heap) (i32.const 1024)) (i32.const 0xaa) (i32.const 1024))
    (i32.sub (global.get $heap) (i32.const 1024)))
  (func (export "free") (param i32)))
