/* RTLD_NEXT follows the search order of the library's own load group, whatever else is loaded. */
#include "../check.h"

static int
next_here(void)
{
    dlerror();
    int (*next)(void) = (int (*)(void))dlsym(RTLD_NEXT, "value");
    return next ? next() : -1;
}

int
main(void)
{
    printf("nothing follows: %d\n", next_here());
    printf("error: %d\n", dlerror() != NULL);
    void *a = load("liba.so", RTLD_NOW);
    call(a, "value");
    call(a, "hidden_behind");
    call(a, "next_malloc");
    printf("still nothing: %d\n", next_here());

    /* Others of the global scope do not follow. */
    void *e = load("libe.so", RTLD_NOW | RTLD_GLOBAL);
    call(a, "value");
    call(e, "value");
    printf("after main: %d\n", next_here());

    /* Opened by itself a library keeps its place in the group that it was loaded with. */
    void *b = load("libb.so", RTLD_NOW);
    call(b, "value");
    dlclose(a);
    call(b, "value");
}
