(module
  ;; import-info (absent, weak), an unknown subsection 99, mem-info 4/2/0/0, import-info (absent2, weak), mem-info again.
  (@custom "dylink.0" (before first)
    "\04\0d\01\03env\06absent\01"
    "\63\03\ff\ff\ff"
    "\01\04\04\02\00\00"
    "\04\0e\01\03env\07absent2\01"
    "\01\04\04\02\00\00")
  (@custom "test.abi" "\07")
  (import "env" "memory" (memory 0))
  (import "env" "__indirect_function_table" (table 0 funcref))
  (import "env" "__memory_base" (global $mb i32))
  (import "env" "__table_base" (global $tb i32))
  (import "GOT.mem" "absent" (global $absent (mut i32)))
  (import "GOT.mem" "absent2" (global $absent2 (mut i32)))
  (import "GOT.mem" "number" (global $number (mut i32)))
  (global (export "number") i32 (i32.const 0))
  (data (global.get $mb) "\c9\00\00\00")
  (func (export "get") (result i32)
    (i32.add (i32.load (global.get $number))
      (i32.add (global.get $absent) (global.get $absent2)))))
