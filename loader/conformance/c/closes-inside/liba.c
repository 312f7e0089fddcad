/* Opens a library when it comes, closes it when it goes, and opens another one then. */
#include "../check.h"
static void *b;
__attribute__((constructor)) static void
enter(void)
{
    printf("a enters\n");
    b = load("libb.so", RTLD_NOW);
    printf("closes itself: %s\n", dlclose(dlopen(path("liba.so"), RTLD_NOW)) == 0 ? "well" : "refused");
}
__attribute__((destructor)) static void
leave(void)
{
    printf("a leaves\n");
    dlclose(b);
    void *d = load("libd.so", RTLD_NOW);
    call(d, "value");
    dlclose(d);
    printf("a has left\n");
}
int value(void) { return b != NULL; }
