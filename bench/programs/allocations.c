/* What programs ask of their allocator, one kind at a time:
 *
 *     allocations [KIND]
 *
 * trees:    nodes of 24 bytes, made and dropped, as in C++ containers
 * objects:  10,000 blocks of 16 to 512 bytes alive, one replaced at a time
 * buffers:  1,000 blocks of 1 to 64 KB alive, one replaced at a time
 * growth:   arrays that grow by an eighth, from 16 bytes to 1 MB
 * zeros:    tables of 1 to 256 KB by calloc
 *
 * Prints how many milliseconds each took.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct node {
    struct node *left, *right;
    char data[16];
};

static struct node *
grown(int depth)
{
    struct node *node = malloc(sizeof *node);
    node->left = depth == 0 ? NULL : grown(depth - 1);
    node->right = depth == 0 ? NULL : grown(depth - 1);
    return node;
}

static void
felled(struct node *node)
{
    if (node != NULL) {
        felled(node->left);
        felled(node->right);
        free(node);
    }
}

static void
trees(void)
{
    struct node *lasting = grown(15);
    for (int i = 0; i < 150; i++) {
        felled(grown(12));
    }
    felled(lasting);
}

static uint32_t state = 1;

static size_t
below(size_t limit)
{
    state = state * 1664525 + 1013904223;
    return (size_t)(((uint64_t)state * limit) >> 32);
}

static void
replace(size_t count, size_t least, size_t span, int rounds)
{
    char **alive = calloc(count, sizeof *alive);
    for (int i = 0; i < rounds; i++) {
        size_t at = below(count);
        size_t size = least + below(span);
        free(alive[at]);
        alive[at] = malloc(size);
        alive[at][0] = alive[at][size - 1] = 1;
    }
    for (size_t i = 0; i < count; i++) {
        free(alive[i]);
    }
    free(alive);
}

static void
objects(void)
{
    replace(10000, 16, 496, 1500000);
}

static void
buffers(void)
{
    replace(1000, 1024, 63 * 1024, 300000);
}

static void
growth(void)
{
    for (int i = 0; i < 60; i++) {
        char *arrays[4] = {NULL};
        for (size_t size = 16; size < 1 << 20; size += size / 8) {
            for (int j = 0; j < 4; j++) {
                arrays[j] = realloc(arrays[j], size);
                arrays[j][size - 1] = 1;
            }
        }
        for (int j = 0; j < 4; j++) {
            free(arrays[j]);
        }
    }
}

static void
zeros(void)
{
    char *alive[16] = {NULL};
    for (int i = 0; i < 10000; i++) {
        size_t at = below(16);
        free(alive[at]);
        alive[at] = calloc(1024 << below(9), 1);
    }
    for (int i = 0; i < 16; i++) {
        free(alive[i]);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} kinds[] = {
    {"trees", trees}, {"objects", objects}, {"buffers", buffers}, {"growth", growth}, {"zeros", zeros},
};

int
main(int count, char **arguments)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (count > 1 && strcmp(arguments[1], kinds[i].name) != 0) {
            continue;
        }
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        kinds[i].run();
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("%s %.1f\n", kinds[i].name,
               (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6);
    }
    return 0;
}
