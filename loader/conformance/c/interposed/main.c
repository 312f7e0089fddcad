/* The first definition in scope is everybody's, and the program's comes first: weak functions, functions by their address, data. */
#include "../check.h"

int hook(void) { return 1; }
int strong(void) { return 10; }
int setting = 100;
__attribute__((weak)) int option = 1000;

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    call(a, "calls_hook");
    call(a, "calls_hook_by_address");
    call(a, "calls_strong_by_address");
    call(a, "reads_setting");
    call(a, "reads_option");
    call(a, "reads_by_pointers");
    call(a, "calls_own");
    call(a, "calls_hidden");
    printf("its own is there: %d\n", ((int (*)(void))dlsym(a, "strong"))());
    printf("by default it is main's: %d\n", dlsym(RTLD_DEFAULT, "strong") == (void *)strong);
}
