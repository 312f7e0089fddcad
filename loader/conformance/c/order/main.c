/* Constructors run in dependency order, once each; handlers of what is closed run in the reverse order. */
#include "../check.h"

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    void *b = load("libb.so", RTLD_NOW);
    printf("close a\n");
    dlclose(a);
    printf("close b\n");
    dlclose(b);
    printf("again\n");
    a = load("liba.so", RTLD_NOW);
    dlclose(a);
    printf("end\n");
}
