/* Data that is zero is zero, however large, again when the library is loaded again; so is what lies between data that is not. */
#include "../check.h"

static char large[4 << 20];
static int spread[1 << 18] = {[3] = 1, [200000] = 2};

int
main(void)
{
    long sum = 0;
    for (size_t i = 0; i < sizeof large; i++)
        sum += large[i];
    for (size_t i = 0; i < sizeof spread / sizeof *spread; i++)
        sum += spread[i];
    printf("main: %ld\n", sum);
    for (int round = 0; round < 3; round++) {
        void *a = load("liba.so", RTLD_NOW);
        call(a, "sum");
        call(a, "spoil");
        dlclose(a);
        void *dirty = malloc(9 << 20);
        memset(dirty, 1, 9 << 20);
        free(dirty);
    }
}
