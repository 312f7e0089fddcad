/* RTLD_LOCAL hides, RTLD_GLOBAL shows, and opening again with it promotes the library and what it needs. */
#include "../check.h"

int
main(void)
{
    load("libuser.so", RTLD_NOW);
    void *a = load("liba.so", RTLD_NOW | RTLD_LOCAL);
    load("libuser.so", RTLD_NOW);
    printf("default: %d\n", dlsym(RTLD_DEFAULT, "from_a") != NULL);
    void *again = load("liba.so", RTLD_NOW | RTLD_GLOBAL);
    printf("same handle: %d\n", a == again);
    printf("default: %d\n", dlsym(RTLD_DEFAULT, "from_a") == dlsym(a, "from_a"));
    printf("default, needed: %d\n", dlsym(RTLD_DEFAULT, "from_b") == dlsym(a, "from_b"));
    void *user = load("libuser.so", RTLD_NOW);
    call(user, "sum");
}
