/* Names with spaces, dollars, commas and letters of other alphabets; dots and slashes on the way to a file. */
#include "../check.h"

int
main(void)
{
    void *a = load("with space/lib$a b.so", RTLD_NOW);
    call(a, "value");
    void *n = load("ünïcode/libñ.so", RTLD_NOW);
    call(n, "value");
    printf("same: %d\n", a == load("./ünïcode/..//with space/./lib$a b.so", RTLD_NOW));
    load("with space", RTLD_NOW);
    load("with space/", RTLD_NOW);
    load("with space/lib$a b.so/", RTLD_NOW);
    load("with space/lib$a b.so/x", RTLD_NOW);
    load("ünïcode/nowhere/../libñ.so", RTLD_NOW);
}
