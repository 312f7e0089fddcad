#include <stdio.h>
int only_a(void) { return 11; }
__attribute__((destructor)) static void leave(void) { printf("a leaves\n"); }
