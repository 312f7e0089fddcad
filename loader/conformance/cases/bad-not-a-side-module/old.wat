(module (@custom "dylink" (before first) "\00\00\00\00\00"))
