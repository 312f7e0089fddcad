;; dylink.0 has to come first.
(module
  (import "env" "memory" (memory 0))
  (@custom "dylink.0" (after last) "\01\04\00\00\00\00"))
