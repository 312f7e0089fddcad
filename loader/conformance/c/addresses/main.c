/* One function has one address, and one datum one location, in every module. */
#include "../check.h"

int shared_counter = 5;
int twice(int x) { return 2 * x; }

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    void *b = load("libb.so", RTLD_NOW);
    typedef int (*function)(int);
    function (*get_a)(void) = (function (*)(void))dlsym(a, "get_twice");
    function (*get_b)(void) = (function (*)(void))dlsym(b, "get_twice_too");
    printf("main's function: %d %d %d\n", get_a() == twice, get_b() == twice,
           dlsym(RTLD_DEFAULT, "twice") == (void *)twice);
    function (*own)(void) = (function (*)(void))dlsym(a, "get_own");
    printf("its own: %d %d\n", (void *)own() == dlsym(a, "own"), own()(4));
    function (*other)(void) = (function (*)(void))dlsym(b, "get_own_of_a");
    printf("another's: %d\n", other() == own());
    printf("libc's: %d\n", *(void **)dlsym(a, "address_of_strlen") == (void *)strlen);
    call(a, "bump");
    call(b, "bump_too");
    printf("counter: %d\n", shared_counter);
    printf("its place: %d\n", dlsym(a, "shared_counter") == NULL);
    int **pointer = dlsym(a, "pointer_into_b");
    **pointer = 77;
    call(b, "read_cell");
}
