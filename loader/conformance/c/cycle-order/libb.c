/* needs: cc d */
#include <stdio.h>
int cc(void);
int d(void);
int b(void) { return 2 + cc() + d(); }
__attribute__((constructor)) static void enter(void) { printf("b enters\n"); }
__attribute__((destructor)) static void leave(void) { printf("b leaves\n"); }
