/* The allocator of a process: against a model of what it must keep, and against
 * what its memory allows.
 *
 *     main random SEED ROUNDS
 *     main budget
 *     main library PATH
 *
 * Prints "ok", or the line where something is wrong.
 */

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libc has them, its headers do not say so. */
void *memalign(size_t alignment, size_t size);
void *reallocarray(void *block, size_t count, size_t size);

#define KB ((size_t)1024)
#define MB (KB * KB)

#define CHECK(condition, ...)                           \
    do {                                                \
        if (!(condition)) {                             \
            printf("line %d: %s: ", __LINE__, #condition); \
            printf(__VA_ARGS__);                        \
            printf("\n");                               \
            exit(1);                                    \
        }                                               \
    } while (0)

static uint64_t state;

static uint64_t
random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t
below(size_t limit)
{
    return (size_t)(random_number() % limit);
}

/* As programs ask: mostly small, seldom very large, each magnitude as often. */
static size_t
random_size(void)
{
    size_t top = (size_t)1 << below(21);
    return below(2 * top);
}

/* ------------------------------------------------------------------ model */

#define BLOCKS 3000

struct model {
    unsigned char *start;
    size_t size;
    unsigned char seed;
};

static struct model blocks[BLOCKS];
static size_t total;

static unsigned char
byte_at(const struct model *model, size_t index)
{
    return (unsigned char)(model->seed + index + (index >> 8) * 31);
}

/* The whole of a small block, both ends of a large one. */
static bool
is_looked_at(size_t index, size_t size)
{
    return index < 600 || index + 600 >= size || index % 4093 == 0;
}

static void
paint(struct model *model)
{
    model->seed = (unsigned char)random_number();
    for (size_t i = 0; i < model->size; i++) {
        model->start[i] = byte_at(model, i);
    }
}

static void
verify(const struct model *model, const unsigned char *start, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (is_looked_at(i, size)) {
            CHECK(start[i] == byte_at(model, i), "byte %zu of %zu at %p", i, model->size,
                  (void *)start);
        }
    }
}

static void
take(struct model *model, void *start, size_t size, size_t alignment)
{
    if (alignment == 0) {
        alignment = size > 128 || size % 16 == 0 ? 16 : 8;
        if (size == 0) {
            alignment = 8;
        }
    }
    CHECK(start != NULL, "%zu bytes, errno %d, %zu in use", size, errno, total);
    CHECK((uintptr_t)start % alignment == 0, "%p of %zu bytes for %zu", start, size, alignment);
    CHECK(malloc_usable_size(start) >= size, "%zu of %zu", malloc_usable_size(start), size);
    *model = (struct model){start, size, 0};
    total += size;
    paint(model);
}

static void
drop(struct model *model)
{
    verify(model, model->start, model->size);
    total -= model->size;
    free(model->start);
    model->start = NULL;
}

static void
take_new(struct model *model)
{
    size_t size = random_size();
    size_t alignment = (size_t)1 << below(15);
    void *start = NULL;
    switch (below(8)) {
    case 0:
        start = calloc(size / 8 + 1, 8);
        size = (size / 8 + 1) * 8;
        for (size_t i = 0; start != NULL && i < size; i++) {
            CHECK(((char *)start)[i] == 0, "byte %zu of %zu", i, size);
        }
        take(model, start, size, 0);
        break;
    case 1:
        take(model, aligned_alloc(alignment, size), size, alignment);
        break;
    case 2:
        alignment = alignment < sizeof(void *) ? sizeof(void *) : alignment;
        CHECK(posix_memalign(&start, alignment, size) == 0, "%zu", size);
        take(model, start, size, alignment);
        break;
    case 3:
        take(model, memalign(alignment, size), size, alignment);
        break;
    case 4:
        take(model, reallocarray(NULL, size, 1), size, 0);
        break;
    default:
        take(model, malloc(size), size, 0);
    }
}

static void
resize(struct model *model)
{
    struct model old = *model;
    /* Often a little more, as a list grows. */
    size_t size = below(2) ? old.size + old.size / 8 + 1 : random_size() + 1;
    unsigned char *start = below(2) ? realloc(old.start, size) : reallocarray(old.start, 1, size);
    CHECK(start != NULL, "%zu bytes", size);
    verify(&old, start, old.size < size ? 0 : size);
    for (size_t i = 0; i < old.size && i < size; i++) {
        if (is_looked_at(i, old.size)) {
            CHECK(start[i] == byte_at(&old, i), "byte %zu from %zu to %zu", i, old.size, size);
        }
    }
    total -= old.size;
    take(model, start, size, 0);
}

static void
at_random(uint64_t seed, size_t rounds)
{
    state = seed * 2654435769u + 1;
    for (size_t round = 0; round < rounds; round++) {
        struct model *model = &blocks[below(BLOCKS)];
        if (round % 5000 == 0) {
            /* Somebody else grows the memory, too. */
            CHECK(sbrk(65536) != (void *)-1, "%zu", round);
        }
        if (model->start == NULL) {
            if (total < 24 * MB) {
                take_new(model);
            }
        }
        else if (below(3) == 0 && total < 24 * MB) {
            resize(model);
        }
        else {
            drop(model);
        }
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        if (blocks[i].start != NULL) {
            drop(&blocks[i]);
        }
    }
}

/* ----------------------------------------------------------------- budget */

extern unsigned char __heap_base;

/* All that the memory can be, after something was refused. */
static size_t
budget(void)
{
    return __builtin_wasm_memory_size(0) * 64 * KB - (size_t)&__heap_base;
}

struct link {
    struct link *next;
};

static struct link *
fill(size_t size, size_t *bytes)
{
    struct link *chain = NULL;
    errno = 0;
    for (*bytes = 0;; *bytes += size) {
        struct link *link = malloc(size);
        if (link == NULL) {
            break;
        }
        link->next = chain;
        chain = link;
    }
    CHECK(errno == ENOMEM, "errno %d", errno);
    return chain;
}

static void
empty(struct link *chain)
{
    while (chain != NULL) {
        struct link *next = chain->next;
        free(chain);
        chain = next;
    }
}

/* Frees every second block first, so that what is free is in pieces. */
static void
empty_in_pieces(struct link *chain)
{
    struct link *kept = NULL;
    for (size_t i = 0; chain != NULL; i++) {
        struct link *next = chain->next;
        if (i % 2 == 0) {
            free(chain);
        }
        else {
            chain->next = kept;
            kept = chain;
        }
        chain = next;
    }
    empty(kept);
}

static const size_t sizes[] = {
    16, 24, 40, 64, 104, 128, 136, 256, 257, 520, 1000, 4 * KB, 4 * KB + 33, 16 * KB, 60 * KB, 64 * KB, 100 * KB,
    256 * KB, MB, 1500 * KB, 8 * MB,
};
#define SIZES (sizeof sizes / sizeof *sizes)

/* With what is lost to each block of this size. */
static size_t
rounded(size_t size)
{
    size_t step = size <= 128 ? 8 : size <= 256 ? 16 : 32;
    return size <= 512 ? (size + step - 1) / step * step : (size + 4 + 15) / 16 * 16;
}

/* After blocks of each size filled the memory and were freed, in two orders,
   blocks of other sizes fill it again. */
static void
all_can_be_had_again(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        for (size_t j = i % 3; j < SIZES; j += 3) {
            size_t bytes;
            struct link *chain = fill(sizes[i], &bytes);
            double share = (double)bytes / (double)budget();
            CHECK(sizes[i] < 24 || sizes[i] > MB || share >= 0.85, "size %zu: %.3f", sizes[i], share);
            (j % 2 ? empty : empty_in_pieces)(chain);

            chain = fill(sizes[j], &bytes);
            size_t block = rounded(sizes[j]);
            /* What is left at the end may be too little for one more. */
            share = (double)(bytes / sizes[j] + 1) * (double)block / (double)budget();
            CHECK(share >= 0.95, "size %zu after %zu: %.3f", sizes[j], sizes[i], share);
            empty(chain);
        }
    }
}

/* A block that grows to most of the memory, without another place for it. */
static void
the_last_block_grows(void)
{
    size_t bytes;
    empty(fill(MB, &bytes));
    size_t end = budget() / 100 * 90 / MB * MB;
    char *block = malloc(MB);
    memset(block, 7, MB);
    for (size_t size = 2 * MB; size <= end; size += MB) {
        char *grown = realloc(block, size);
        CHECK(grown == block, "%zu: %p, %p", size, (void *)block, (void *)grown);
    }
    for (size_t i = 0; i < MB; i++) {
        CHECK(block[i] == 7, "%zu", i);
    }
    CHECK(realloc(block, end * 2) == NULL && errno == ENOMEM, "errno %d", errno);
    free(block);
}

/* Zeros also where others have been. */
static void
zeros(void)
{
    for (size_t size = 100; size < 32 * MB; size = size * 3 + 1) {
        char *block = calloc(size, 1);
        CHECK(block != NULL, "%zu", size);
        for (size_t i = 0; i < size; i++) {
            CHECK(block[i] == 0, "%zu of %zu", i, size);
        }
        memset(block, 1, size);
        char *behind = malloc(100);
        free(block);
        free(behind);
    }
}

static void
refused(void)
{
    size_t huge = (size_t)-1;
    volatile size_t half = huge / 2 + 2;
    void *block = &block;
    errno = 0;
    CHECK(malloc(half) == NULL && errno == ENOMEM, "errno %d", errno);
    errno = 0;
    CHECK(malloc(huge) == NULL && errno == ENOMEM, "errno %d", errno);
    errno = 0;
    CHECK(calloc(half, 2) == NULL && errno == ENOMEM, "errno %d", errno);
    errno = 0;
    CHECK(reallocarray(NULL, half, 2) == NULL && errno == ENOMEM, "errno %d", errno);
    errno = 0;
    CHECK(aligned_alloc(huge / 2 + 1, 1) == NULL && errno == ENOMEM, "errno %d", errno);
    errno = 0;
    CHECK(aligned_alloc(16, huge - 3) == NULL && errno == ENOMEM, "errno %d", errno);
    errno = 0;
    CHECK(aligned_alloc(48, 48) == NULL && errno == EINVAL, "errno %d", errno);
    errno = 0;
    CHECK(posix_memalign(&block, 24, 1) == EINVAL && block == &block && errno == 0, "%p", block);
    CHECK(posix_memalign(&block, 64, half) == ENOMEM && block == &block && errno == 0, "%p", block);
    char *some = malloc(1000);
    memset(some, 3, 1000);
    CHECK(realloc(some, half) == NULL && some[999] == 3, "%d", some[999]);
    CHECK(realloc(some, 0) == NULL, "not freed");
    CHECK(malloc_usable_size(NULL) == 0, "of nothing");
    free(NULL);
    void *a = malloc(0), *b = malloc(0);
    CHECK(a != NULL && b != NULL && a != b, "%p, %p", a, b);
    free(a);
    free(b);
}

/* Between two that fit, something is refused that does not. */
static void
a_refusal_costs_nothing(void)
{
    size_t bytes;
    empty(fill(MB, &bytes));
    size_t half = budget() / 2;
    char *first = malloc(half);
    CHECK(first != NULL, "%zu", half);
    CHECK(malloc(half * 2) == NULL, "%zu", half);
    free(first);
    char *most = malloc(budget() / 100 * 98);
    CHECK(most != NULL, "%zu", budget());
    free(most);
}

/* A library has no allocator of its own: what it takes, others give back. */
static void
library(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW);
    CHECK(handle != NULL, "%s", dlerror());
    void *(**its)(void *, size_t) = dlsym(handle, "functions");
    CHECK(its != NULL, "%s", dlerror());
    void *ours[] = {
        malloc, calloc, realloc, reallocarray, free, aligned_alloc, posix_memalign, malloc_usable_size,
    };
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        CHECK((void *)its[i] == ours[i], "function %zu", i);
    }
}

int
main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "library") == 0) {
        library(arguments[2]);
    }
    else if (count == 4 && strcmp(arguments[1], "random") == 0) {
        at_random(strtoull(arguments[2], NULL, 10), strtoull(arguments[3], NULL, 10));
    }
    else {
        refused();
        zeros();
        the_last_block_grows();
        a_refusal_costs_nothing();
        all_can_be_had_again();
    }
    printf("ok\n");
    return 0;
}
