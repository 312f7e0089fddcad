__attribute__((weak)) int hook(void) { return 2; }
int strong(void) { return 20; }
int setting = 200;
int option = 2000;
__attribute__((weak)) int own(void) { return 3; }
__attribute__((visibility("hidden"))) int hidden_hook(void) { return 4; }
static int *const to_setting = &setting;
int (*to_strong)(void) = strong;

int calls_hook(void) { return hook(); }
int calls_hook_by_address(void) { int (*volatile f)(void) = hook; return f(); }
int calls_strong_by_address(void) { int (*volatile f)(void) = strong; return f(); }
int reads_setting(void) { return setting; }
int reads_option(void) { return option; }
int reads_by_pointers(void) { return *to_setting + to_strong(); }
int calls_own(void) { return own(); }
int calls_hidden(void) { return hidden_hook(); }
