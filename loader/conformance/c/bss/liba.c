#include <stddef.h>
#include <string.h>
static char large[4 << 20];
static char spread[4 << 20] = {[100] = 1, [300] = 2, [1 << 20] = 3, [(4 << 20) - 1] = 4};
char *pointers[100] = {[50] = spread + 100};

int
sum(void)
{
    int sum = *pointers[50];
    for (size_t i = 0; i < sizeof large; i++)
        sum += large[i] + spread[i];
    for (int i = 0; i < 100; i++)
        sum += pointers[i] != NULL;
    return sum;
}

int
spoil(void)
{
    memset(large, 7, sizeof large);
    memset(spread, 8, sizeof spread);
    return large[5] + spread[5];
}
