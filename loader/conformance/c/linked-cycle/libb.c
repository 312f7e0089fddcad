/* needs: a */
#include <stdio.h>
int a(int);
int shared_by_b = 3;
__attribute__((constructor)) static void enter(void) { printf("b enters: %d\n", ++shared_by_b); }
int b(int x) { return x == 0 ? 200 : a(x - 1) + 10; }
