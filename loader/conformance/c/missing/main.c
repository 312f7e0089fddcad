/* A library with a missing symbol does not load, and leaves nothing: the next dlopen, with the symbol there, loads. */
#include "../check.h"

int
main(void)
{
    load("libuser.so", RTLD_NOW);
    printf("noload: %d\n", dlopen(path("libuser.so"), RTLD_NOW | RTLD_NOLOAD) == NULL);
    dlerror();
    load("libprovider.so", RTLD_NOW | RTLD_GLOBAL);
    void *user = load("libuser.so", RTLD_NOW);
    call(user, "use");
}
