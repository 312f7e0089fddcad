/* needs: b cc */
#include "value.h"
int value(void) { return 1000 + next_value(); }
int only_b(void) { return -1; }
int hidden_behind(void) { return dlsym(RTLD_NEXT, "only_a") == NULL; }
int only_a(void) { return 7; }
int next_malloc(void)
{
    void *(*next)(size_t) = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    return next == malloc;
}
