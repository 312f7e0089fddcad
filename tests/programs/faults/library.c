#include <stdlib.h>

__attribute__((noinline)) static int
inner(int zero)
{
    return 1 / zero + abs(zero);
}

int
divides(int zero)
{
    return inner(zero) + 1;
}

/* Called with another type than it has. */
double
other(double number)
{
    return number;
}
