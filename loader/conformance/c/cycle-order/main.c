/* A circle of three that needs a fourth: the order of constructors and destructors, whichever is opened first. */
#include "../check.h"

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    call(a, "a_calls");
    dlclose(a);
    void *b = load("libb.so", RTLD_NOW);
    call(b, "b");
    dlclose(b);
    void *c = load("libcc.so", RTLD_NOW);
    call(c, "cc");
    dlclose(c);
    printf("end\n");
}
