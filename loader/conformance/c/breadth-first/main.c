/* dlsym searches the library, then what it needs, breadth first. */
#include "../check.h"

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    call(a, "only_a");
    call(a, "in_c_and_d");
    call(a, "only_d");
    call(a, "nowhere");
    void *b = load("libb.so", RTLD_NOW);
    call(b, "in_c_and_d");
    call(b, "only_a");
}
