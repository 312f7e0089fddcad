/* Constructors and destructors that open and close: others, and the library that they are of. */
#include "../check.h"

void *open_before;

int
main(void)
{
    open_before = load("libcc.so", RTLD_NOW);
    void *a = load("liba.so", RTLD_NOW);
    call(a, "value");
    printf("close: %d\n", dlclose(a));
    printf("again\n");
    a = load("liba.so", RTLD_NOW);
    printf("close: %d\n", dlclose(a));
    printf("end\n");
}
