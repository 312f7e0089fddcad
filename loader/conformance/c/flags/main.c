/* Flags that say nothing, or too much; promotion and RTLD_NODELETE by a second dlopen; what an empty name is. */
#include "../check.h"

static void
visible(const char *name)
{
    dlerror();
    void *symbol = dlsym(RTLD_DEFAULT, name);
    printf("%s: %s\n", name, symbol && !dlerror() ? "visible" : "not visible");
    dlerror();
}

int
main(void)
{
    load("liba.so", 0);
    load("liba.so", RTLD_GLOBAL);
    void *a = load("liba.so", RTLD_LAZY);
    visible("only_a");
    printf("promote: %d\n", dlopen(path("liba.so"), RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL) == a);
    visible("only_a");
    printf("demote: %d\n", dlopen(path("liba.so"), RTLD_NOW | RTLD_LOCAL) == a);
    visible("only_a");
    printf("close: %d %d %d\n", dlclose(a), dlclose(a), dlclose(a));
    visible("only_a");

    void *b = load("libb.so", RTLD_LAZY | RTLD_NOW);
    printf("keep: %d\n", dlopen(path("libb.so"), RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) == b);
    printf("close: %d %d\n", dlclose(b), dlclose(b));
    printf("kept: %d\n", dlopen(path("libb.so"), RTLD_LAZY | RTLD_NOLOAD) == b);
    visible("only_b");

    void *self = dlopen(NULL, RTLD_LAZY);
    void *empty = dlopen("", RTLD_LAZY);
    printf("empty name: %d\n", empty != NULL && empty == self);
    dlerror();
    printf("close main: %d\n", dlclose(self));
    printf("main is still there: %d\n", dlsym(dlopen(NULL, RTLD_NOW), "malloc") != NULL);
    printf("end\n");
}
