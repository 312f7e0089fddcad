/* needs: d */
#include <stdio.h>
int both = 1;
__attribute__((weak)) const char *who(void) { return "a"; }
__attribute__((constructor)) static void enter(void) { printf("a\n"); }
