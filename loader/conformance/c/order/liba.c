/* needs: b cc */
#include <stdio.h>

__attribute__((constructor)) static void
enter(void)
{
    printf("a enters\n");
}

__attribute__((destructor)) static void
leave(void)
{
    printf("a leaves\n");
}

extern int b_value;
int a_needs_b(void) { return b_value; }

extern int cc_value;
int a_needs_cc(void) { return cc_value; }

int a_value = 1;
