;; Its heap begins at 2 GiB.
(module
  (@custom "test.abi" "\07")
  (memory (export "memory") 32769)
  (table (export "__indirect_function_table") 8 funcref)
  (global $sp (export "__stack_pointer") (mut i32) (i32.const 65536))
  (global $heap (mut i32) (i32.const 0x8000_0000))
  (global $live (mut i32) (i32.const 0))

  ;; Data: `counter` at 1024 holds 100, `other` at 1028 holds 200.
  (data (i32.const 1024) "\64\00\00\00\c8\00\00\00")
  (global (export "counter") i32 (i32.const 1024))
  (global (export "other") i32 (i32.const 1028))

  ;; `twice` has slot 3 from the beginning; `thrice` has none.
  (elem (i32.const 3) func $twice)
  (func $twice (export "twice") (param i32) (result i32)
    (i32.mul (local.get 0) (i32.const 2)))
  (func (export "thrice") (param i32) (result i32)
    (i32.mul (local.get 0) (i32.const 3)))
  ;; Another name for the same function.
  (export "double" (func $twice))
  (func (export "call") (param i32 i32) (result i32)
    (call_indirect (param i32) (result i32) (local.get 1) (local.get 0)))

  ;; An allocator that gives dirty memory, as real ones do.
  (func $allocate (param $align i32) (param $size i32) (result i32) (local $at i32) (local $end i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (local.set $end (i32.add (local.get $at) (local.get $size)))
    ;; More than 1 MiB is more than there is.
    (if (i32.gt_u (local.get $size) (i32.const 1048576)) (then (return (i32.const 0))))
    (block $enough
      (loop $grow
        (br_if $enough
          (i32.le_u (local.get $end) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $grow (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
        (return (i32.const 0))))
    (memory.fill (local.get $at) (i32.const 0xaa) (local.get $size))
    (global.set $heap (local.get $end))
    (global.set $live (i32.add (global.get $live) (i32.const 1)))
    (local.get $at))
  (func (export "malloc") (param i32) (result i32)
    (call $allocate (i32.const 16) (local.get 0)))
  (func (export "aligned_alloc") (param i32 i32) (result i32)
    (call $allocate (local.get 0) (local.get 1)))
  (func (export "free") (param i32)
    (global.set $live (i32.sub (global.get $live) (i32.const 1))))
  ;; Exit handlers, as C++ and `atexit` register them: 16 bytes each from 2048, function, argument and module.
  (global $handlers (mut i32) (i32.const 2048))
  (func (export "__cxa_atexit") (param $function i32) (param $argument i32) (param $module i32) (result i32)
    (i32.store (global.get $handlers) (local.get $function))
    (i32.store offset=4 (global.get $handlers) (local.get $argument))
    (i32.store offset=8 (global.get $handlers) (local.get $module))
    (global.set $handlers (i32.add (global.get $handlers) (i32.const 16)))
    (i32.const 0))
  ;; Calls those of one module, newest first, each once.
  (func (export "__cxa_finalize") (param $module i32) (local $at i32) (local $function i32)
    (local.set $at (global.get $handlers))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $at) (i32.const 2048)))
        (local.set $at (i32.sub (local.get $at) (i32.const 16)))
        (br_if $next (i32.ne (i32.load offset=8 (local.get $at)) (local.get $module)))
        (local.set $function (i32.load (local.get $at)))
        (br_if $next (i32.eqz (local.get $function)))
        (i32.store (local.get $at) (i32.const 0))
        (call_indirect (param i32) (i32.load offset=4 (local.get $at)) (local.get $function))
        (br $next))))

  ;; How many allocations are live, where the stack stands, how long the table is.
  (elem (i32.const 5) func $live $stack $slots)
  (func $slots (export "slots") (result i32) (table.size 0))
  (func $live (export "live") (result i32) (global.get $live))
  (func $stack (export "stack") (result i32) (global.get $sp)))
