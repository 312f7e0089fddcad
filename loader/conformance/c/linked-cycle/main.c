/* needs: a b */
/* Libraries of a program that need each other. */
#include "../check.h"

int a(int);
extern int shared_by_b;

int
main(void)
{
    printf("%d %d\n", a(5), shared_by_b);
}
