/* needs: b */
#include <stdio.h>
#include <stdlib.h>
void b(void);
static void one(void) { printf("a one\n"); }
static void two(void) { printf("a two\n"); }
void registers(void) { atexit(one); atexit(two); b(); }
__attribute__((constructor)) static void enter(void) { printf("a enters\n"); }
__attribute__((destructor)) static void leave(void) { printf("a leaves\n"); }
