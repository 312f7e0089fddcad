/* RTLD_DEFAULT: the global scope, then what the library that asks was loaded with. */
#include "../check.h"

int in_main(void) { return 0; }

static void
seen(const char *name)
{
    printf("main sees %s: %d\n", name, dlsym(RTLD_DEFAULT, name) != NULL);
    dlerror();
}

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    void *cc = load("libcc.so", RTLD_NOW);
    seen("in_main");
    seen("in_a");
    seen("in_cc");
    call(a, "finds_own");
    call(a, "finds_needed");
    call(a, "finds_main");
    call(a, "finds_other");
    call(a, "finds_whoever_needs_it");
    dlopen(path("libcc.so"), RTLD_NOW | RTLD_GLOBAL);
    seen("in_cc");
    call(a, "finds_other");
    dlclose(cc);
}
