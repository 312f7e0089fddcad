(module
  (@dylink.0 (mem-info (memory 0 0) (table 0 0)))
  (@custom "test.abi" "\07")
  (import "env" "also_absent" (func (param f32 f64)))
  (import "GOT.mem" "twice" (global (mut i32))))
