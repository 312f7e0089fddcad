/* Two libraries of one basename, and their own dependencies of one basename. */
#include "../check.h"

int
main(void)
{
    void *x = load("x/libmod.so", RTLD_NOW);
    void *y = load("y/libmod.so", RTLD_NOW);
    printf("two: %d\n", x != y);
    call(x, "id");
    call(y, "id");
}
