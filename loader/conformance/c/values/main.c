/* Values of every kind cross the border, in both directions, variable arguments and callbacks too. */
#include "../check.h"
#include <stdarg.h>
#include <stdint.h>

struct pair { int a; double b; };

int
main(void)
{
    void *a = load("liba.so", RTLD_NOW);
    int64_t (*wide)(int64_t, uint32_t) = (int64_t (*)(int64_t, uint32_t))dlsym(a, "wide");
    double (*mixed)(float, double, char) = (double (*)(float, double, char))dlsym(a, "mixed");
    struct pair (*swap)(struct pair) = (struct pair (*)(struct pair))dlsym(a, "swap");
    int (*sum)(int, ...) = (int (*)(int, ...))dlsym(a, "sum");
    void (*sort)(int *, size_t) = (void (*)(int *, size_t))dlsym(a, "sort");
    printf("%lld\n", (long long)wide(-5000000000, 4000000000u));
    printf("%g\n", mixed(1.5f, 2.25, 'A'));
    struct pair pair = swap((struct pair){7, 2.5});
    printf("%d %g\n", pair.a, pair.b);
    printf("%d\n", sum(4, 1, 20, 300, 4000));
    int numbers[] = {5, 3, 9, 1};
    sort(numbers, 4);
    printf("%d %d %d %d\n", numbers[0], numbers[1], numbers[2], numbers[3]);
}
