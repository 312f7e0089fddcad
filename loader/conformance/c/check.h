/* What every program of the suite includes. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT, dladdr */
#endif
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The path of a library of this case. */
static inline const char *
path(const char *name)
{
    static char buffer[512];
    snprintf(buffer, sizeof buffer, "%s/%s", getenv("CASE"), name);
    return buffer;
}

/* dlopen, and a word about it. */
static inline void *
load(const char *name, int flags)
{
    /* glibc forgets an error at the next call, POSIX at the next dlerror. */
    dlerror();
    void *handle = dlopen(path(name), flags);
    const char *error = dlerror();
    printf("dlopen %s: %s\n", name, handle ? "loaded" : "failed");
    if ((handle == NULL) != (error != NULL))
        printf("  dlerror disagrees: %s\n", error ? error : "no error");
    return handle;
}

/* Calls an `int f(void)` of a library. */
static inline void
call(void *handle, const char *name)
{
    dlerror();
    int (*function)(void) = (int (*)(void))dlsym(handle, name);
    if (dlerror() != NULL)
        printf("%s: not found\n", name);
    else
        printf("%s() = %d\n", name, function());
}
