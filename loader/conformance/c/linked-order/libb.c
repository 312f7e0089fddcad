/* needs: d */
#include <stdio.h>
int both = 2;
__attribute__((weak)) const char *who(void) { return "b"; }
const char *ask_b(void) { return who(); }
int *both_of_b(void) { return &both; }
__attribute__((constructor)) static void enter(void) { printf("b\n"); }
