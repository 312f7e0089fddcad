;; Runs the threads of a guest, each on a stack of its own (the stack switching proposal).
;;
;; Only this module uses continuations. The host decides which stack runs next, and gives it a thread.
(module
  (type $entry (func))
  (type $stack (cont $entry))
  (type $start (func (param $thread i32) (param $top i32)))

  ;; The number of the stack to run next.
  (import "host" "next" (func $next (result i32)))
  ;; The thread that the current stack is given, and the top of its shadow stack.
  (import "host" "begin" (func $begin (result i32 i32)))
  ;; The thread has returned from its stack.
  (import "host" "end" (func $end (param $thread i32)))
  ;; Negative if the thread has to leave its stack; an errno otherwise.
  (import "host" "park" (func $park (param $thread i32) (param $until i64) (param $how i32) (result i32)))
  ;; An errno: how the park ended.
  (import "host" "resume" (func $resumed (param $thread i32) (result i32)))

  (tag $leave)
  (table $stacks 0 (ref null $stack))
  ;; The program's `_start` and `pymode_thread_start`.
  (table $functions (export "functions") 2 funcref)
  (elem declare func $live)

  ;; The life of a stack: one thread after the other, because a stack is never freed.
  (func $live
    (local $thread i32)
    (local $top i32)
    (loop $again
      (call $begin)
      (local.set $top)
      (local.set $thread)
      (if (i32.eqz (local.get $thread))
        (then
          (call_indirect $functions (type $entry) (i32.const 0))
          (return)))
      (call_indirect $functions (type $start) (local.get $thread) (local.get $top) (i32.const 1))
      (call $end (local.get $thread))
      (suspend $leave)
      (br $again)))

  ;; `pymode.thread_park`.
  (func (export "park") (param $thread i32) (param $until i64) (param $how i32) (result i32)
    (local $errno i32)
    (local.set $errno (call $park (local.get $thread) (local.get $until) (local.get $how)))
    (if (i32.ge_s (local.get $errno) (i32.const 0))
      (then (return (local.get $errno))))
    (suspend $leave)
    (call $resumed (local.get $thread)))

  ;; Returns when main does.
  (func (export "run")
    (local $number i32)
    (local $left (ref null $stack))
    (loop $again
      (local.set $number (call $next))
      (if (i32.ge_u (local.get $number) (table.size $stacks))
        (then (drop (table.grow $stacks (ref.null $stack) (i32.const 16)))))
      (if (ref.is_null (table.get $stacks (local.get $number)))
        (then (table.set $stacks (local.get $number) (cont.new $stack (ref.func $live)))))
      (block $suspended (result (ref $stack))
        (resume $stack (on $leave $suspended) (table.get $stacks (local.get $number)))
        (return))
      (local.set $left)
      (table.set $stacks (local.get $number) (local.get $left))
      (br $again))))
