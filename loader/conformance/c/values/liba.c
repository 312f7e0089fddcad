#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

struct pair { int a; double b; };

int64_t wide(int64_t a, uint32_t b) { return a * 3 + b; }
double mixed(float a, double b, char c) { return a + b * c; }
struct pair swap(struct pair p) { return (struct pair){(int)p.b, p.a}; }

int
sum(int count, ...)
{
    va_list list;
    va_start(list, count);
    int sum = 0;
    while (count--)
        sum += va_arg(list, int);
    va_end(list);
    return sum;
}

static int
compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

void sort(int *numbers, size_t count) { qsort(numbers, count, sizeof *numbers, compare); }
