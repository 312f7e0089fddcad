/* Closes what somebody else has opened before. */
#include "../check.h"
extern void *open_before;
__attribute__((constructor)) static void
enter(void)
{
    printf("b enters\n");
    if (open_before)
        printf("close: %d\n", dlclose(open_before));
    open_before = NULL;
}
__attribute__((destructor)) static void leave(void) { printf("b leaves\n"); }
