/* A thread-local variable of a library, with one thread. */
#include "../check.h"

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    call(a, "bump");
    call(a, "bump");
    void *b = load("libb.so", RTLD_NOW);
    call(b, "look");
}
