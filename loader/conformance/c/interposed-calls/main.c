/* A call of a library's own strong function goes to the first definition in scope, too. */
#include "../check.h"

int strong(void) { return 10; }

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    call(a, "calls_strong");
}
