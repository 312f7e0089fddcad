/* What is registered with atexit, by whom, and when it is done: at dlclose, and at the end. */
#include "../check.h"

static void first(void) { printf("main first\n"); }
static void second(void) { printf("main second\n"); }
__attribute__((destructor)) static void leave(void) { printf("main leaves\n"); }

int
main(void)
{
    atexit(first);
    void *a = load("liba.so", RTLD_NOW);
    ((void (*)(void))dlsym(a, "registers"))();
    printf("close\n");
    dlclose(a);
    printf("closed\n");
    a = load("liba.so", RTLD_NOW);
    ((void (*)(void))dlsym(a, "registers"))();
    atexit(second);
    printf("end\n");
}
