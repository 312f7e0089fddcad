/* needs: b */
#include <stdio.h>
int b(void);
int a(void) { return 1; }
int a_calls(void) { return b(); }
__attribute__((constructor)) static void enter(void) { printf("a enters\n"); }
__attribute__((destructor)) static void leave(void) { printf("a leaves\n"); }
