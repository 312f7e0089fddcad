#include "../check.h"

/* A library that loads others itself. */
int loads(void)
{
    void *b = load("libb.so", RTLD_NOW | RTLD_LOCAL);
    call(b, "value");
    dlsym(b, "no such symbol");
    printf("error: %d\n", dlerror() != NULL);
    printf("read again: %d\n", dlerror() != NULL);
    int closed = dlclose(b);
    printf("gone: %d\n", dlopen(path("libb.so"), RTLD_NOW | RTLD_NOLOAD) == NULL);
    return closed;
}
int finds_main(void)
{
    void *self = dlopen(NULL, RTLD_NOW);
    return self != NULL && dlsym(self, "lent") != NULL && dlsym(self, "loads") == NULL;
}
