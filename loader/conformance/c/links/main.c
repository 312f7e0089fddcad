/* A library under several names, by links in a directory and of one, is one library; a copy is another. */
#include "../check.h"

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    call(a, "count");
    void *link = load("liba.so.1", RTLD_NOW);
    call(link, "count");
    void *deep = load("sub/libdeep.so", RTLD_NOW);
    call(deep, "count");
    printf("one library: %d %d\n", a == link, a == deep);
    void *b = load("libb.so", RTLD_NOW);
    call(b, "count");
    printf("another: %d\n", a != b);
}
