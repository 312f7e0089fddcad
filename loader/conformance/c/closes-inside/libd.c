#include <stdio.h>
__attribute__((constructor)) static void enter(void) { printf("d enters\n"); }
__attribute__((destructor)) static void leave(void) { printf("d leaves\n"); }
int value(void) { return 4; }
