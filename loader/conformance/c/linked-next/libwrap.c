#define _GNU_SOURCE
#include <dlfcn.h>
int value(int x)
{
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "value");
    return next == 0 ? -1 : 1000 + next(x);
}
