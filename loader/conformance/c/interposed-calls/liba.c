__attribute__((noinline)) int strong(void) { return 20; }
int calls_strong(void) { return strong(); }
