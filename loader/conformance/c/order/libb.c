/* needs: d */
#include <stdio.h>

__attribute__((constructor)) static void
enter(void)
{
    printf("b enters\n");
}

__attribute__((destructor)) static void
leave(void)
{
    printf("b leaves\n");
}

extern int d_value;
int b_needs_d(void) { return d_value; }

int b_value = 1;
