#include <stdio.h>
int only_b(void) { return 12; }
__attribute__((destructor)) static void leave(void) { printf("b leaves\n"); }
