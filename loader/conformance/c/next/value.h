/* The `value` that follows the one of the library that asks. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

static int
next_value(void)
{
    int (*next)(void) = (int (*)(void))dlsym(RTLD_NEXT, "value");
    return next ? next() : 0;
}
