#include <stdio.h>
__attribute__((constructor)) static void enter(void) { printf("cc enters\n"); }
__attribute__((destructor)) static void leave(void) { printf("cc leaves\n"); }
int value(void) { return 3; }
