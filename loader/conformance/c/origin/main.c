/* $ORIGIN is where the library lies, by whatever way it was come to. */
#include "../check.h"

int
main(void)
{
    void *user = load("pkg/../pkg/./libuser.so", RTLD_NOW);
    call(user, "value");
    void *dep = dlopen(path("pkg/libdep.so"), RTLD_NOW | RTLD_NOLOAD);
    printf("the same: %d\n", dep != NULL && dlsym(dep, "dep") == dlsym(user, "dep"));
}
