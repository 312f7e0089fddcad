/* A library may call dlopen and related functions itself; dlerror then returns its errors. */
#include "../check.h"

int lent(void) { return 1; }

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    call(a, "loads");
    call(a, "finds_main");
    printf("its last error: %d\n", dlerror() != NULL);
}
