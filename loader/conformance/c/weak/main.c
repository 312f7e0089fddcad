/* A weak symbol may be missing; if it is there it is used. */
#include "../check.h"

int there(void) { return 11; }
int data_there = 12;

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    call(a, "call_absent");
    call(a, "call_there");
    call(a, "read_absent");
    call(a, "read_there");
}
