/* needs: b */
#include <stdio.h>
int b(int);
extern int shared_by_b;
__attribute__((constructor)) static void enter(void) { printf("a enters: %d\n", shared_by_b); }

int a(int x) { return x == 0 ? 100 : b(x - 1) + 1; }
