#include <stdio.h>
#include <stdlib.h>
static void one(void) { printf("b one\n"); }
void b(void) { atexit(one); }
__attribute__((constructor)) static void enter(void) { printf("b enters\n"); }
__attribute__((destructor)) static void leave(void) { printf("b leaves\n"); }
