/* Ends in the way that its first argument says; its second is a library. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
deeper(volatile int *above)
{
    volatile int here = *above + 1;
    return deeper(&here) + here;
}

int
main(int argc, char **argv)
{
    const char *how = argv[1];
    volatile int zero = argc - 3;
    if (strcmp(how, "exit") == 0) {
        return 7;
    }
    if (strcmp(how, "abort") == 0) {
        abort();
    }
    if (strcmp(how, "divide") == 0) {
        return 1 / zero;
    }
    if (strcmp(how, "outside") == 0) {
        return *(volatile int *)(0xfffffff0 + zero);
    }
    if (strcmp(how, "null") == 0) {
        int (*volatile nothing)(void) = NULL;
        return nothing();
    }
    if (strcmp(how, "slot") == 0) {
        int (*volatile nowhere)(void) = (int (*)(void))0x7fffffff;
        return nowhere();
    }
    if (strcmp(how, "deep") == 0) {
        return deeper(&zero);
    }
    void *library = dlopen(argv[2], RTLD_NOW);
    int (*function)(int) = library ? (int (*)(int))dlsym(library, how) : NULL;
    if (function == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 3;
    }
    return function(zero);
}
