/* needs: a */
#include <stdio.h>
int a(void);
int cc(void) { return 3 + a(); }
__attribute__((constructor)) static void enter(void) { printf("cc enters\n"); }
__attribute__((destructor)) static void leave(void) { printf("cc leaves\n"); }
