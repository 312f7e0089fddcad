/* malloc and related functions, for all modules of a process.  libc's allocator
 * has powers of two and never joins free blocks.
 *
 * This file defines all symbols of libc's own, so that it is not linked: two
 * allocators in one memory corrupt each other.
 *
 * A block is aligned to 16 bytes if its size is above 128 or a multiple of 16,
 * as the size of any type with that alignment is.  Others are aligned to 8.
 */

#include <stdbool.h>
#include <stdlib.h>
#include <malloc.h>

#include "large.h"
#include "small.h"

/* A block of this size needs contiguous memory: spare slabs are freed first. */
#define LARGE ((size_t)65536)

/* Tries again without spare slabs if there was no memory. */
#define WITHOUT_SPARES(try)                  \
    ({                                       \
        void *found_ = (try);                \
        if (found_ == NULL && spares != 0) { \
            release_spares();                \
            found_ = (try);                  \
        }                                    \
        found_;                              \
    })

static void
make_room(size_t size)
{
    if (size >= LARGE && spares != 0) {
        release_spares();
    }
}

void *
malloc(size_t size)
{
    if (size <= SMALL_MAX) {
        return small_malloc(size);
    }
    make_room(size);
    return WITHOUT_SPARES(large_malloc(size));
}

void
free(void *block)
{
    if (block == NULL) {
        return;
    }
    if (in_slab(block)) {
        small_free(block);
    }
    else {
        large_free(block);
    }
}

void *
calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    if (bytes <= SMALL_MAX) {
        void *block = small_malloc(bytes);
        return block == NULL ? NULL : memset(block, 0, bytes);
    }
    make_room(bytes);
    return WITHOUT_SPARES(large_calloc(bytes));
}

static void *
realloc_small(void *block, size_t size)
{
    size_t old = small_size(block);
    if (size <= SMALL_MAX && kind_of(size) == slab_of(block)->kind) {
        return block;
    }
    void *moved = malloc(size);
    if (moved != NULL) {
        memcpy(moved, block, old < size ? old : size);
        small_free(block);
    }
    return moved;
}

/* Frees the block if the size is 0, as glibc does. */
void *
realloc(void *block, size_t size)
{
    if (block == NULL) {
        return malloc(size);
    }
    if (size == 0) {
        free(block);
        return NULL;
    }
    if (in_slab(block)) {
        return realloc_small(block, size);
    }
    make_room(size);
    return WITHOUT_SPARES(large_realloc(block, size));
}

void *
reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

size_t
malloc_usable_size(void *block)
{
    if (block == NULL) {
        return 0;
    }
    return in_slab(block) ? small_size(block) : large_size(block);
}

/* The alignment is a power of two. */
static void *
aligned(size_t alignment, size_t size)
{
    if (alignment <= 8) {
        return malloc(size);
    }
    if (alignment <= MALLOC_ALIGNMENT && size <= PTRDIFF_MAX) {
        return malloc(size == 0 ? MALLOC_ALIGNMENT : (size + 15) & ~(size_t)15);
    }
    make_room(size);
    return WITHOUT_SPARES(large_memalign(alignment, size));
}

static bool
is_power_of_two(size_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

void *
aligned_alloc(size_t alignment, size_t size)
{
    if (!is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return aligned(alignment, size);
}

void *
memalign(size_t alignment, size_t size)
{
    return aligned_alloc(alignment, size);
}

void *
valloc(size_t size)
{
    return aligned(PAGE, size);
}

/* Returns the error, and leaves errno alone. */
int
posix_memalign(void **result, size_t alignment, size_t size)
{
    if (!is_power_of_two(alignment) || alignment < sizeof(void *)) {
        return EINVAL;
    }
    int before = errno;
    void *block = aligned(alignment, size);
    errno = before;
    if (block == NULL) {
        return ENOMEM;
    }
    *result = block;
    return 0;
}
