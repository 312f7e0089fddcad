/* needs: wrap inner */
/* A wrapper in a library that comes before the one it wraps; both are linked with the program. */
#define _GNU_SOURCE
#include "../check.h"

int value(int);

int
main(void)
{
    printf("%d\n", value(1));
    void *program = dlopen(NULL, RTLD_NOW);
    int (*found)(int) = (int (*)(int))dlsym(program, "value");
    printf("the program's is the first: %d\n", found == value);
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "value");
    printf("and the next of the program: %d\n", next == value);
    printf("by default: %d\n", dlsym(RTLD_DEFAULT, "value") == (void *)value);
    printf("a library that is there already: %d\n", load("libinner.so", RTLD_NOW | RTLD_NOLOAD) != NULL);
}
