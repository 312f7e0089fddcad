#include <stdio.h>
__attribute__((constructor)) static void enter(void) { printf("d\n"); }
