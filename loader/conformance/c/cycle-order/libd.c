#include <stdio.h>
int d(void) { return 4; }
__attribute__((constructor)) static void enter(void) { printf("d enters\n"); }
__attribute__((destructor)) static void leave(void) { printf("d leaves\n"); }
