/* Two libraries that need each other. */
#include "../check.h"

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    int (*even)(int) = (int (*)(int))dlsym(a, "even");
    printf("%d %d\n", even(10), even(7));
    call(a, "through_pointer");
    printf("close: %d\n", dlclose(a));
}
