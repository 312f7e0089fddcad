/* Handles are counted, dlerror is read once, RTLD_NOLOAD loads nothing. */
#include "../check.h"

/* C's `main` has another name in a guest. */
void marker(void) {}

int
main(void)
{
    printf("noload: %d\n", dlopen(path("liba.so"), RTLD_NOW | RTLD_NOLOAD) == NULL);
    dlerror();
    void *a = load("liba.so", RTLD_NOW);
    void *b = load("./liba.so", RTLD_NOW);
    void *c = dlopen(path("liba.so"), RTLD_NOW | RTLD_NOLOAD);
    printf("same: %d %d\n", a == b, a == c);
    printf("close: %d %d\n", dlclose(a), dlclose(b));
    call(c, "value");
    printf("close: %d\n", dlclose(c));
    printf("gone: %d\n", dlopen(path("liba.so"), RTLD_NOW | RTLD_NOLOAD) == NULL);
    dlerror();

    load("no-such-file.so", RTLD_NOW);
    dlsym(RTLD_DEFAULT, "no such symbol");
    printf("error: %d\n", dlerror() != NULL);
    printf("read again: %d\n", dlerror() != NULL);

    void *self = dlopen(NULL, RTLD_NOW);
    printf("self: %d\n", self != NULL && dlsym(self, "marker") == (void *)marker);

    a = dlopen(path("liba.so"), RTLD_NOW | RTLD_NODELETE);
    call(a, "value");
    dlclose(a);
    b = dlopen(path("liba.so"), RTLD_NOW);
    printf("nodelete: %d\n", a == b);
    call(b, "value");
}
