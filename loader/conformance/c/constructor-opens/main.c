/* A constructor opens a library, its own, and one that needs its own. */
#include "../check.h"

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    call(a, "sum");
    void *user = load("libuser.so", RTLD_NOW);
    call(user, "user_value");
    printf("close: %d\n", dlclose(user));
    printf("close: %d\n", dlclose(a));
}
