/* needs: d */
#include <stdio.h>

__attribute__((constructor)) static void
enter(void)
{
    printf("cc enters\n");
}

__attribute__((destructor)) static void
leave(void)
{
    printf("cc leaves\n");
}

extern int d_value;
int cc_needs_d(void) { return d_value; }

int cc_value = 1;
